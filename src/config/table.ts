/** Every setting in one table: README, .env.example and the checks all come from here. */
import * as z from 'zod'
import { DEFAULT_WORKERS, LOCK_DURATION_S, QUEUE_NAMES, QUEUES, type QueueName } from '../settings.ts'
import { parseTokens, parseWorkers } from './grammars.ts'

type Words = {
  /** Completes the sentence "expected …". */
  expected: string
  doc: string
  /** Never printed, and can be read from a file by `<name>_FILE`. */
  secret?: true
  /** What README shows where the default depends on the machine. */
  defaultDoc?: string
}

/** `default` is read like any other value; null = not set. */
export type Setting<T = unknown, D extends string | null = string | null> = Words & {
  schema: z.ZodType<T, string>
  default: D
}

type ConcurrencyName = `${Uppercase<QueueName>}_CONCURRENCY`
type Table = typeof BASE & Record<ConcurrencyName, Setting<number, string>>
export type SettingName = keyof Table

type ValueOf<S> = S extends Setting<infer T, infer D> ? (null extends D ? T | null : T) : never
export type Values = { [K in SettingName]: ValueOf<Table[K]> }

const text = z.string()
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max))
/** Signs of life come each second. */
const hangLimit = whole(0, LOCK_DURATION_S / 2 - 1).refine((seconds) => seconds !== 1)
const names = z.string().transform((value) =>
  value
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean),
)
const url = (protocol: RegExp) => z.url({ protocol })
/** No request can be made with them: fetch refuses such an address. */
const NO_CREDENTIALS = 'a user and password in it cannot be sent; a key belongs into OPENAI_API_KEY'

function hasNoCredentials(address: string): boolean {
  if (!URL.canParse(address)) return true // said already
  const { username, password } = new URL(address)
  return username === '' && password === ''
}
/** What a header can carry. */
const token = z.string().regex(/^[\x21-\x7e]+$/)

const LEVELS = { warning: 'warn', critical: 'error', fatal: 'error' } as Record<string, string>
const level = z
  .string()
  .transform((value) => LEVELS[value.toLowerCase()] ?? value.toLowerCase())
  .pipe(z.enum(['debug', 'info', 'warn', 'error']))

const BASE = {
  HOST: row(z.string().regex(/^[\w.:-]+$/), '127.0.0.1', {
    expected: 'a host name or address',
    doc: 'where the API listens; any but a loopback address needs a token',
  }),
  PORT: row(whole(0, 65_535), '8000', { expected: 'a port from 0 to 65535', doc: '0 picks a free port and prints it' }),
  ALLOWED_HOSTS: row(names, null, {
    expected: 'names separated by commas',
    doc: 'more names that the Host header may carry, e.g. behind a proxy',
  }),
  DATA_DIR: row(text, './data', { expected: 'a folder', doc: 'all run-time state; one folder to back up' }),
  REDIS: row(z.enum(['auto', 'spawn', 'attach']), 'auto', {
    expected: 'auto, spawn or attach',
    doc: '`auto` uses a suitable Redis that is there, else starts one; `spawn` always starts one; `attach` never does',
  }),
  REDIS_URL: row(url(/^rediss?$/), null, {
    expected: 'a redis:// or rediss:// address',
    doc: 'the Redis to attach to; wins over the four parts below',
    secret: true,
  }),
  REDIS_HOST: row(text, '127.0.0.1', {
    expected: 'a host name or address',
    doc: 'where `auto` and `attach` look for a Redis',
  }),
  REDIS_PORT: row(whole(1, 65_535), '6379', {
    expected: 'a port from 1 to 65535',
    doc: 'the same; when set, also the port of a Redis that we start',
  }),
  REDIS_DB: row(whole(0, 1_000_000), '0', {
    expected: 'a database number',
    doc: 'database of a Redis given by host and port',
  }),
  REDIS_PASSWORD: row(text, null, {
    expected: 'a password',
    doc: 'password of a Redis given by host and port',
    secret: true,
  }),
  API_TOKEN: row(token, null, {
    expected: 'visible characters without spaces',
    doc: 'the token of the operator, who sees and does everything',
    secret: true,
  }),
  API_TOKENS: row(z.string().transform(checked(parseTokens)), null, {
    expected: '`user:token` pairs separated by commas',
    doc: 'tokens of users, who see only their own projects: `user:token,user:token`',
    secret: true,
  }),
  MAX_SOCKETS: row(whole(1, 100_000), '1000', { expected: 'a number from 1 to 100000', doc: 'live viewers at a time' }),
  OPENAI_API_KEY: row(token, null, {
    expected: 'visible characters without spaces',
    doc: 'key for any OpenAI-compatible server; without one the built-in provider works',
    secret: true,
  }),
  OPENAI_BASE_URL: row(url(/^https?$/).refine(hasNoCredentials, NO_CREDENTIALS), null, {
    expected: 'an http:// or https:// address',
    doc: 'such a server, e.g. `http://localhost:11434/v1`',
  }),
  TEXT_MODEL: row(text, null, { expected: 'the name of a model', doc: 'model for text' }),
  IMAGE_MODEL: row(text, null, { expected: 'the name of a model', doc: 'model for images' }),
  SPEECH_MODEL: row(text, null, { expected: 'the name of a model', doc: 'model for narration' }),
  TRANSCRIBE_MODEL: row(text, null, { expected: 'the name of a model', doc: 'model for transcripts' }),
  WORKERS: row(z.string().transform(checked(parseWorkers)), DEFAULT_WORKERS, {
    expected: 'groups like `llm,image:1 video:2` that name every queue once',
    doc: 'groups of queues, and processes per group',
  }),
  SOFT_TIME_LIMIT_S: row(whole(1, 604_800), '600', {
    expected: 'seconds, at least 1',
    doc: 'a stage is asked to end after so many seconds; below TIME_LIMIT_S',
  }),
  TIME_LIMIT_S: row(whole(1, 604_800), '900', {
    expected: 'seconds, at least 1',
    doc: 'and is ended after so many; a stage can set its own',
  }),
  STOP_TIMEOUT_S: row(whole(3, 86_400), null, {
    expected: 'seconds, at least 3',
    doc: 'after so many seconds of a stop whoever runs us kills (`docker stop` after 10); a stop is made to fit',
    defaultDoc: 'asked of systemd; 30 in Kubernetes, 10 in Docker, else none',
  }),
  HANG_KILL_S: row(hangLimit, '12', {
    expected: `seconds below ${LOCK_DURATION_S / 2} (half the lock duration) and at least 2, or 0`,
    doc: 'a process without a sign of life for so long is killed, and it is told where it hung; 0 = never',
  }),
  WORKER_MAX_JOBS: row(whole(0, 1_000_000_000), '10000', {
    expected: 'a number, or 0',
    doc: 'a worker is replaced after about so many jobs; 0 = never',
  }),
  WORKER_MAX_RSS_MB: row(whole(0, 1_000_000), '512', {
    expected: 'megabytes, or 0',
    doc: 'or when it holds so much memory for 15 s; 0 = never',
  }),
  PIPELINES_DIR: row(text, null, {
    expected: 'an existing folder',
    doc: 'folder with pipelines of your own, `*.ts` or `*.mjs`',
  }),
  RESUME: row(z.enum(['auto', 'off']), 'auto', {
    expected: 'auto or off',
    doc: '`off` leaves everything of an earlier run waiting until `resume`: what ran, what was queued or to be tried again, and what would have followed',
  }),
  LOG_LEVEL: row(level, 'info', { expected: 'debug, info, warn or error', doc: 'debug, info, warn or error' }),
  LOG_FORMAT: row(z.enum(['pretty', 'json']), null, {
    expected: 'pretty or json',
    doc: 'pretty or json',
    defaultDoc: 'pretty on a terminal, else json',
  }),
  FFMPEG_PATH: row(text, null, { expected: 'a program', doc: 'which ffmpeg to use', defaultDoc: 'found on PATH' }),
  FFPROBE_PATH: row(text, null, { expected: 'a program', doc: 'which ffprobe to use', defaultDoc: 'found on PATH' }),
  FONT_DIR: row(text, null, {
    expected: 'an existing folder',
    doc: 'folder with fonts for scene cards',
    defaultDoc: 'DejaVu, which is bundled',
  }),
} satisfies Record<string, Setting<any>>

export const SETTINGS: Table = { ...BASE, ...concurrencies() }
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

export function concurrencyName(queue: QueueName): ConcurrencyName {
  return `${queue.toUpperCase() as Uppercase<QueueName>}_CONCURRENCY`
}

function concurrencies(): Record<ConcurrencyName, Setting<number, string>> {
  const rows = QUEUE_NAMES.map((queue) => {
    const { concurrency, serves } = QUEUES[queue]
    const doc = `stages at a time in \`${queue}\` (${serves}), over all processes`
    return [
      concurrencyName(queue),
      row(whole(1, 1_000), String(concurrency), { expected: 'a number from 1 to 1000', doc }),
    ]
  })
  return Object.fromEntries(rows)
}

function row<T, D extends string | null>(schema: z.ZodType<T, string>, value: D, words: Words): Setting<T, D> {
  return { schema, default: value, ...words }
}

/** A parser that throws, as a transform that reports what it threw. */
function checked<T>(parse: (value: string) => T) {
  return (value: string, context: z.RefinementCtx): T => {
    try {
      return parse(value)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  }
}
