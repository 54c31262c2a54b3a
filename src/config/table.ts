/** Every setting in one table: README, .env.example and the checks all come from here. */
import * as z from 'zod'
import { DEFAULT_WORKERS, LOCK_DURATION_S, QUEUE_NAMES, QUEUES, type QueueName } from '../settings.ts'
import { parseTokens, parseWorkers } from './grammars.ts'

/** `expected` completes the sentence "expected …". `default` is read like any other value; null = not set. */
export type Setting<T = unknown, D extends string | null = string | null> = {
  schema: z.ZodType<T, string>
  default: D
  expected: string
  doc: string
  secret?: true
  /** What README shows where the default depends on the machine. */
  defaultDoc?: string
}

type ConcurrencyName = `${Uppercase<QueueName>}_CONCURRENCY`
type Table = typeof BASE & Record<ConcurrencyName, Setting<number, string>>
export type SettingName = keyof Table

type ValueOf<S> = S extends Setting<infer T, infer D> ? (null extends D ? T | null : T) : never
export type Values = { [K in SettingName]: ValueOf<Table[K]> }

const text = z.string()
const whole = (min: number, max: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(min).max(max))
const list = z.string().transform((value) => value.split(',').map((part) => part.trim().toLowerCase()).filter(Boolean))
const url = (protocol: RegExp) => z.url({ protocol })
/** What a header can carry. */
const token = z.string().regex(/^[\x21-\x7e]+$/)
const model = (kind: string) => optional(text, 'a model name', `model for ${kind}`)

const LEVELS = { warning: 'warn', critical: 'error', fatal: 'error' } as Record<string, string>
const level = z
  .string()
  .transform((value) => LEVELS[value.toLowerCase()] ?? value.toLowerCase())
  .pipe(z.enum(['debug', 'info', 'warn', 'error']))

const BASE = {
  HOST: required(z.string().regex(/^[\w.:-]+$/), '127.0.0.1', 'a host name or address', 'where the API listens; any other than a loopback address needs a token'),
  PORT: required(whole(0, 65_535), '8000', 'a port from 0 to 65535', '0 picks a free port and prints it'),
  ALLOWED_HOSTS: optional(list, 'names separated by commas', 'more names that the Host header may carry, e.g. behind a proxy'),
  DATA_DIR: required(text, './data', 'a folder', 'all run-time state; one folder to back up'),
  REDIS: required(z.enum(['auto', 'spawn', 'attach']), 'auto', 'auto, spawn or attach', '`auto` uses a suitable Redis that is there, else starts one; `spawn` always starts one; `attach` never does'),
  REDIS_URL: { ...optional(url(/^rediss?$/), 'a redis:// or rediss:// address', 'the Redis to attach to; wins over the parts below'), secret: true },
  REDIS_HOST: required(text, '127.0.0.1', 'a host name or address', 'where `auto` looks for a Redis'),
  REDIS_PORT: required(whole(1, 65_535), '6379', 'a port from 1 to 65535', 'the same; when set, also the port of a Redis that we start'),
  REDIS_DB: required(whole(0, 1_000_000), '0', 'a database number', 'database of a Redis given by host and port'),
  REDIS_PASSWORD: { ...optional(text, 'a password', 'password of a Redis given by host and port'), secret: true },
  API_TOKEN: { ...optional(token, 'visible characters without spaces', "the operator's token, who sees and does everything"), secret: true },
  API_TOKENS: { ...optional(z.string().transform(checked(parseTokens)), '`user:token` pairs separated by commas, each user and token once', 'tokens of users, who see only their own projects: `user:token,user:token`'), secret: true },
  MAX_SOCKETS: required(whole(1, 100_000), '1000', 'a number from 1 to 100000', 'live viewers at a time'),
  OPENAI_API_KEY: { ...optional(token, 'visible characters without spaces', 'key for any OpenAI-compatible server; without one the built-in provider works'), secret: true },
  OPENAI_BASE_URL: optional(url(/^https?$/), 'an http:// or https:// address', 'such a server, e.g. `http://localhost:11434/v1`'),
  TEXT_MODEL: model('text'),
  IMAGE_MODEL: model('images'),
  SPEECH_MODEL: model('narration'),
  TRANSCRIBE_MODEL: model('transcripts'),
  WORKERS: required(z.string().transform(checked(parseWorkers)), DEFAULT_WORKERS, 'groups like `llm,image:1 video:2` that name every queue once', 'groups of queues, and processes per group'),
  SOFT_TIME_LIMIT_S: required(whole(1, 604_800), '600', 'seconds, at least 1 and below TIME_LIMIT_S', 'a stage is asked to end after so many seconds'),
  TIME_LIMIT_S: required(whole(1, 604_800), '900', 'seconds, at least 1', 'and is ended after so many; a stage can set its own'),
  HANG_KILL_S: required(whole(0, Math.ceil(LOCK_DURATION_S / 2) - 1), '12', `seconds below ${LOCK_DURATION_S / 2} (half the lock duration), or 0`, 'a process without a sign of life for so long is killed; 0 = never'),
  WORKER_MAX_JOBS: required(whole(0, 1_000_000_000), '10000', 'a number; 0 = never', 'a worker is replaced after so many jobs; 0 = never'),
  WORKER_MAX_RSS_MB: required(whole(0, 1_000_000), '512', 'megabytes; 0 = never', 'or when it holds so much memory; 0 = never'),
  PIPELINES_DIR: optional(text, 'an existing folder', 'folder with pipelines of your own, `*.ts` or `*.mjs`'),
  RESUME: required(z.enum(['auto', 'off']), 'auto', 'auto or off', '`off` leaves interrupted projects waiting until `resume`'),
  LOG_LEVEL: required(level, 'info', 'debug, info, warn or error', 'debug, info, warn or error'),
  LOG_FORMAT: { ...optional(z.enum(['pretty', 'json']), 'pretty or json', 'pretty or json'), defaultDoc: 'pretty on a terminal, else json' },
  FFMPEG_PATH: { ...optional(text, 'a program', 'which ffmpeg to use'), defaultDoc: 'found on PATH' },
  FFPROBE_PATH: { ...optional(text, 'a program', 'which ffprobe to use'), defaultDoc: 'found on PATH' },
  FONT_DIR: { ...optional(text, 'an existing folder', 'folder with fonts for scene cards'), defaultDoc: 'DejaVu, bundled' },
} satisfies Record<string, Setting<any>>

export const SETTINGS: Table = { ...BASE, ...concurrencies() }
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

export function concurrencyName(queue: QueueName): ConcurrencyName {
  return `${queue.toUpperCase() as Uppercase<QueueName>}_CONCURRENCY`
}

function concurrencies(): Record<ConcurrencyName, Setting<number, string>> {
  const rows = QUEUE_NAMES.map((queue) => {
    const { concurrency, serves } = QUEUES[queue]
    return [concurrencyName(queue), required(whole(1, 1_000), String(concurrency), 'a number from 1 to 1000', `stages at a time in \`${queue}\` (${serves}), over all processes`)]
  })
  return Object.fromEntries(rows)
}

function required<T>(schema: z.ZodType<T, string>, value: string, expected: string, doc: string): Setting<T, string> {
  return { schema, default: value, expected, doc }
}

function optional<T>(schema: z.ZodType<T, string>, expected: string, doc: string): Setting<T, null> {
  return { schema, default: null, expected, doc }
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
