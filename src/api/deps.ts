/** What the API needs from the rest, passed in: the routes know no folder, no queue and no process. */
import type { Log } from '../lib/log.ts'
import type { Commands } from '../queue/commands.ts'
import type { ProjectReader } from '../queue/reader.ts'
import type { Hub } from '../stream/hub.ts'
import type { AuthSettings } from './auth.ts'
import type { PipelineView } from './schemas/pipeline.ts'
import type { StatusData } from './schemas/status.ts'

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
}

export type ReadyCheck = { name: string; ok: boolean; message: string | null }
