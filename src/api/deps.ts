/** What the API needs from the rest, passed in: the routes know no folder, no queue and no process. */
import type { Log } from '../lib/log.ts'
import type { Commands } from '../queue/commands.ts'
import type { ProjectReader } from '../queue/reader.ts'
import type { Hub } from '../stream/hub.ts'
import type { AuthSettings } from './auth.ts'
import type { Explanation } from './schemas/explanation.ts'
import type { LogPage } from './schemas/logs.ts'
import type { PipelineView } from './schemas/pipeline.ts'
import type { StatusData } from './schemas/status.ts'
import type { RestartAnswer, Scale, ScaleAnswer, WorkerProcess } from './schemas/workers.ts'

export type ApiDeps = {
  version: string
  /** `performance.now()` when the program began. */
  startedMs: number
  log: Log
  auth: AuthSettings
  /** Names under which this API may be called besides the loopback ones: `name` or `name:port`. */
  allowedHosts: string[]
  paths: { idempotency: string }
  commands: Commands
  projects: ProjectReader
  hub: Hub
  /** How many live viewers there may be at a time. */
  maxSockets: number
  pipelines: () => Promise<PipelineView[]>
  /** Answered from memory; the route adds nothing to it. */
  status: () => Promise<StatusData>
  ready: () => Promise<{ ok: boolean; checks: ReadyCheck[] }>
  /** Why a process is as it is, or was at a moment. Throws `not_found` for one that nobody knows. */
  explain: (query: { process: string; atMs?: number; spanMs?: number }) => Promise<Explanation>
  logs: LogReader
  workforce: Workforce
  /** In the text format of Prometheus; `places` are those for live viewers. */
  metrics: (places: { taken: number; max: number }) => Promise<{ text: string; contentType: string }>
}

/** `by`: who asks. All of it answers at once, and goes on behind. */
export type Workforce = {
  list(): WorkerProcess[]
  /** Throws `not_found`, or `wrong_state` when it cannot be now. */
  restart(name: string, by: string): RestartAnswer
  /** Throws `not_found` for an unknown group, `wrong_state` while the program stops. */
  scale(wish: Scale, by: string): ScaleAnswer
}

/** `since`: a cursor or a time; `before`: a cursor. Both throw `not_found` for a process that nobody knows. */
export type LogReader = {
  page(query: { process?: string; since?: string; before?: string; limit: number }): Promise<LogPage>
  /** The lines of a page, then each that is written, until the signal aborts, which is thrown. */
  follow(query: {
    process?: string
    since?: string
    limit: number
    signal: AbortSignal
  }): Promise<AsyncGenerator<LogFrame[], void>>
}

/** One line as JSON, and the cursor to go on from behind it; empty for a notice that lines were lost. */
export type LogFrame = { cursor: string; json: string }

export type ReadyCheck = { name: string; ok: boolean; message: string | null }
