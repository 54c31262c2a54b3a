/** What the API needs from the rest, passed in: the routes know no folder, no queue and no process. */
import type { Log } from '../lib/log.ts'
import type { ArtifactState, ProjectState, ProjectStatus, ProjectSummary } from '../project/project.ts'
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
  pipelines: () => PipelineView[]
  /** Answered from memory; the route adds nothing to it. */
  status: () => Promise<StatusData>
  ready: () => Promise<{ ok: boolean; checks: ReadyCheck[] }>
}

export type ReadyCheck = { name: string; ok: boolean; message: string | null }

/** Everything that changes a project. All throw AppError: not_found, wrong_state, invalid_value, missing_program, disk. */
export type Commands = {
  /** `details.errors` of an `invalid_value` are shown to the caller: `{ pointer, detail }`, pointers into the body. */
  create(request: CreateRequest): Promise<CommandAnswer>
  start(id: string): Promise<CommandAnswer>
  resume(id: string): Promise<CommandAnswer>
  cancel(id: string): Promise<CommandAnswer>
  rerun(id: string, stage: string, options: { andFollowing: boolean }): Promise<CommandAnswer>
  remove(id: string): Promise<void>
}

export type CreateRequest = {
  id: string
  pipeline: string
  input: unknown
  title?: string
  autostart: boolean
  owner: string
}

/** `delayed`: the folder knows, the queue will be told when Redis is back. */
export type CommandAnswer = { state: ProjectState; dispatch: 'queued' | 'delayed' }

export type ProjectReader = {
  /** Results over 16 KB are already put back. */
  read(id: string): Promise<ProjectState | undefined>
  list(query: ProjectQuery): Promise<{ items: ProjectSummary[]; next_cursor: string | null }>
  /** Undefined: no such name. Throws `artifact_missing` when the file is gone. */
  artifact(id: string, name: string): Promise<{ path: string; artifact: ArtifactState } | undefined>
}

export type ProjectQuery = {
  status?: ProjectStatus
  pipeline?: string
  q?: string
  /** Undefined: everybody's. */
  owner?: string
  limit: number
  cursor?: string
}
