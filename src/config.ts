/** The only reader of the environment: flags, variables and .env files become one frozen, plain object. */
import type { UserToken, WorkerGroup } from './config/grammars.ts'
import type { LogLevel } from './lib/log.ts'
import type { QueueName } from './settings.ts'

/** Plain data, so that it can be sent to child processes as a message. Paths are absolute. */
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
  readonly auth: { readonly operatorToken: string | null; readonly users: readonly UserToken[] }
  readonly allowedHosts: readonly string[]
  readonly maxSockets: number
  readonly workers: readonly WorkerGroup[]
  readonly concurrency: Readonly<Record<QueueName, number>>
  readonly softTimeLimitS: number
  readonly timeLimitS: number
  /** 0 = never. */
  readonly hangKillS: number
  /** 0 = never. */
  readonly recycle: { readonly maxJobs: number; readonly maxRssMb: number }
  readonly pipelinesDir: string | null
  readonly resume: 'auto' | 'off'
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
  readonly notes: readonly string[]
}
