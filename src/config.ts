/** The only reader of the environment: flags, variables and .env files become one frozen, plain object. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { celeryNotes } from './config/celery.ts'
import { folderProblems, type Limits, timeLimits, tokenProblems } from './config/checks.ts'
import type { UserToken, WorkerGroup } from './config/grammars.ts'
import { redisNotes, shadowNotes, unknownNotes } from './config/notes.ts'
import { type Resolved, resolveSettings, settingsError } from './config/resolve.ts'
import { createLookup, type Found, type Lookup } from './config/sources.ts'
import { concurrencyName } from './config/table.ts'
import type { Flags } from './flags.ts'
import { errnoOf } from './lib/errors.ts'
import type { LogLevel } from './lib/log.ts'
import { LAUNCHER_PID, QUEUE_NAMES, type QueueName, TOKEN_FILE } from './settings.ts'

/** Plain data, frozen, so that it can be sent to child processes as a message. Folders are absolute paths. */
export type Config = {
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly redis: {
    readonly mode: 'auto' | 'spawn' | 'attach'
    readonly url: string | null
    readonly host: string
    readonly port: number
    /** REDIS_PORT was set, so a Redis of our own listens there too. */
    readonly portExplicit: boolean
    readonly db: number
    readonly password: string | null
  }
  readonly auth: { readonly operatorToken: string | null; readonly users: UserToken[] }
  readonly allowedHosts: string[]
  readonly maxSockets: number
  readonly workers: WorkerGroup[]
  readonly concurrency: Readonly<Record<QueueName, number>>
  readonly softTimeLimitS: number
  readonly timeLimitS: number
  /** 0 = never. */
  readonly hangKillS: number
  /** 0 = never. */
  readonly recycle: { readonly maxJobs: number; readonly maxRssMb: number }
  readonly pipelinesDir: string | null
  readonly resume: 'auto' | 'off'
  /** Who may kill us from outside, as far as the environment tells. */
  readonly outside: { readonly stopTimeoutS: number | null; readonly systemd: boolean; readonly kubernetes: boolean }
  readonly log: { readonly level: LogLevel; readonly format: 'pretty' | 'json' }
  readonly ffmpegPath: string | null
  readonly ffprobePath: string | null
  readonly fontDir: string | null
  readonly openai: {
    readonly apiKey: string | null
    readonly baseUrl: string | null
    readonly textModel: string | null
    readonly imageModel: string | null
    readonly speechModel: string | null
    readonly transcribeModel: string | null
  }
  /** One line each for people: mapped, shadowed and unknown names. */
  readonly notes: string[]
}

export type ConfigSources = {
  env: NodeJS.ProcessEnv
  /** Where `.env` files are, and what relative paths start from. */
  cwd: string
  flags?: Partial<Flags>
  /** Chooses the default of LOG_FORMAT. */
  isTty?: boolean
}

/** Throws one `settings` error that lists every problem; `details.problems` has them as data. */
export function loadConfig(sources: ConfigSources): Config {
  const { cwd, flags = {} } = sources
  const lookup = createLookup({ env: sources.env, cwd, flags: flagLayer(flags) })
  const resolved = resolveSettings(lookup, cwd)
  const dataDir = resolve(cwd, resolved.values.DATA_DIR)
  const limits = timeLimits(resolved)
  const newToken = flags.newToken ?? false
  // A token that is about to be replaced counts for nothing.
  const storedToken = newToken || resolved.values.API_TOKEN !== null ? null : readToken(dataDir)
  const problems = [
    ...resolved.problems,
    ...limits.problems,
    ...tokenProblems(resolved, { storedToken, newToken }),
    ...folderProblems(resolved, cwd),
  ]
  if (problems.length > 0) throw settingsError(problems)
  const notes = [...notesOn(lookup, resolved), ...limits.notes, ...tokenNotes(dataDir, storedToken)]
  return deepFreeze(
    toConfig(resolved, {
      cwd,
      dataDir,
      storedToken,
      limits,
      notes,
      isTty: sources.isTty ?? false,
      managers: managersOf(sources.env),
    }),
  )
}

/** This process's own sources: the one place that touches its environment. */
export function processSources(flags: Partial<Flags> = {}): ConfigSources {
  return { env: process.env, cwd: process.cwd(), flags, isTty: process.stdout.isTTY === true }
}

/** The process that stands between a person and us, to be followed when it ends unheard; null when there is none. */
export function launcherPid({ env }: ConfigSources, parentPid: number): number | null {
  // Both variables are inherited; the second tells whether it is meant for us.
  const isLaunched = env.npm_lifecycle_event !== undefined || env[LAUNCHER_PID] === String(parentPid)
  return isLaunched ? parentPid : null
}

function flagLayer(flags: Partial<Flags>): Record<string, Found> {
  const given = [
    { name: 'HOST', flag: 'host', value: flags.host },
    { name: 'PORT', flag: 'port', value: flags.port },
    { name: 'DATA_DIR', flag: 'data-dir', value: flags.dataDir },
    { name: 'LOG_FORMAT', flag: 'json', value: flags.json ? 'json' : undefined },
  ]
  const rows = given.flatMap(({ name, flag, value }) =>
    value === undefined ? [] : [[name, { name, value, from: `flag --${flag}` }]],
  )
  return Object.fromEntries(rows)
}

/** The token that an earlier `--new-token` has stored. */
function readToken(dataDir: string): string | null {
  try {
    return readFileSync(join(dataDir, TOKEN_FILE), 'utf8').trim() || null
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
}

function notesOn(lookup: Lookup, { origin, values }: Resolved): string[] {
  return [
    ...celeryNotes(lookup, (name) => lookup.find(name) !== undefined),
    ...shadowNotes(lookup),
    ...redisNotes((name) => origin(name) !== undefined, values.REDIS),
    ...unknownNotes(lookup),
  ]
}

function tokenNotes(dataDir: string, storedToken: string | null): string[] {
  if (storedToken === null) return []
  return [`The operator's token is the one in ${join(dataDir, TOKEN_FILE)}; delete that file to go without`]
}

type Surroundings = {
  cwd: string
  dataDir: string
  storedToken: string | null
  limits: Limits
  notes: string[]
  isTty: boolean
  managers: { systemd: boolean; kubernetes: boolean }
}

/** The variables by which service managers show themselves to what they run. */
function managersOf(env: NodeJS.ProcessEnv): Surroundings['managers'] {
  const isSet = (name: string) => env[name] !== undefined
  return { systemd: isSet('INVOCATION_ID') || isSet('NOTIFY_SOCKET'), kubernetes: isSet('KUBERNETES_SERVICE_HOST') }
}

function toConfig(resolved: Resolved, around: Surroundings): Config {
  const { values } = resolved
  const folder = (path: string | null) => (path === null ? null : resolve(around.cwd, path))
  return {
    host: values.HOST,
    port: values.PORT,
    dataDir: around.dataDir,
    redis: redisOf(resolved),
    auth: { operatorToken: values.API_TOKEN ?? around.storedToken, users: values.API_TOKENS ?? [] },
    allowedHosts: values.ALLOWED_HOSTS ?? [],
    maxSockets: values.MAX_SOCKETS,
    workers: values.WORKERS,
    concurrency: concurrencyOf(resolved),
    softTimeLimitS: around.limits.softS,
    timeLimitS: around.limits.hardS,
    hangKillS: values.HANG_KILL_S,
    recycle: { maxJobs: values.WORKER_MAX_JOBS, maxRssMb: values.WORKER_MAX_RSS_MB },
    pipelinesDir: folder(values.PIPELINES_DIR),
    resume: values.RESUME,
    outside: { stopTimeoutS: values.STOP_TIMEOUT_S, ...around.managers },
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (around.isTty ? 'pretty' : 'json') },
    ffmpegPath: values.FFMPEG_PATH,
    ffprobePath: values.FFPROBE_PATH,
    fontDir: folder(values.FONT_DIR),
    openai: openaiOf(resolved),
    notes: around.notes,
  }
}

function concurrencyOf({ values }: Resolved): Config['concurrency'] {
  const rows = QUEUE_NAMES.map((queue) => [queue, values[concurrencyName(queue)]] as const)
  return Object.fromEntries(rows) as Record<QueueName, number>
}

function redisOf({ values, origin }: Resolved): Config['redis'] {
  return {
    mode: values.REDIS,
    url: values.REDIS_URL,
    host: values.REDIS_HOST,
    port: values.REDIS_PORT,
    portExplicit: origin('REDIS_PORT') !== undefined,
    db: values.REDIS_DB,
    password: values.REDIS_PASSWORD,
  }
}

function openaiOf({ values }: Resolved): Config['openai'] {
  return {
    apiKey: values.OPENAI_API_KEY,
    baseUrl: values.OPENAI_BASE_URL,
    textModel: values.TEXT_MODEL,
    imageModel: values.IMAGE_MODEL,
    speechModel: values.SPEECH_MODEL,
    transcribeModel: values.TRANSCRIBE_MODEL,
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
