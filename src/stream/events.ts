/** The live messages, as every viewer reads them: one union, the contract's, and how each is built. */
import type { StageStatus } from '../project/project.ts'

export type LiveStatus = 'queued' | 'processing' | 'restarted' | 'waiting' | 'completed' | 'failed' | 'cancelled'

/** `seq` says how far a client has everything once it has read the message: what it may resume from. */
type Numbered = { seq: number; project_id: string; timestamp: number }
type OfStage = Numbered & { stage: string }

/** `stages` has the statuses of the project's state (`running`, not `processing`). */
export type Connected = {
  type: 'connected'
  channel: string
  project_id: string
  seq: number
  epoch: string
  recovered: boolean
  stages: Record<string, StageStatus>
}

/** `offset` counts UTF-16 units before `content`. `full_text` is left out with v=2; a `snapshot` replaces the client's text. */
export type Token = OfStage & { type: 'token'; content: string; full_text?: string; offset: number; snapshot?: true }

export type StageUpdate = OfStage & { type: 'stage_update' } & UpdateFields
export type Progress = OfStage & { type: 'progress' } & ProgressFields
export type Done = OfStage & { type: 'done'; full_text: string; metadata: DoneMetadata }
export type Failure = OfStage & { type: 'error' } & ErrorFields
export type ProjectUpdate = Numbered & { type: 'project_update' } & ProjectFields

export type UpdateFields = { status: LiveStatus; progress?: number; message?: string }
export type ProgressFields = { current: number; total: number; progress: number; item_name?: string }
export type DoneMetadata = { latency_ms: number; tokens_used: number; model: string }
export type ErrorFields = { error: string; retry_count: number; will_retry: boolean }
export type ProjectFields = { status: StageStatus; progress: number; message?: string }

/** What the stream of a project holds. */
export type LiveEvent = Token | StageUpdate | Progress | Done | Failure | ProjectUpdate
export type LiveMessage = Connected | LiveEvent

/** The stream's short names of kinds, and the message each becomes. */
export const MESSAGE_TYPES = {
  token: 'token',
  snapshot: 'token',
  update: 'stage_update',
  progress: 'progress',
  done: 'done',
  error: 'error',
  project: 'project_update',
} as const

export type EntryKind = keyof typeof MESSAGE_TYPES

/** One entry of a project's stream. `text`: the delta, or the whole text of a snapshot; `fields`: those of other kinds. */
export type StreamEntry = TextEntry | FieldsEntry

type EntryPlace = { epoch: string; seq: number; stage: string; timestamp: number }
export type TextEntry = EntryPlace & { kind: 'token' | 'snapshot'; offset: number; text: string }
export type FieldsEntry = EntryPlace & {
  kind: Exclude<EntryKind, 'token' | 'snapshot'>
  fields: Record<string, unknown>
}

/** Where the project's own revision stands among those of its stages; no stage can have this name. */
export const PROJECT = '*project*'

export function isText<T extends StreamEntry>(entry: T): entry is Extract<T, TextEntry> {
  return entry.kind === 'token' || entry.kind === 'snapshot'
}

const ENDINGS: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled', 'restarted'])

/** True for what a slow viewer must still get, one by one. */
export function isLasting(entry: StreamEntry): boolean {
  if (isText(entry)) return false
  if (entry.kind === 'done' || entry.kind === 'error') return true
  return (entry.kind === 'update' || entry.kind === 'project') && ENDINGS.has(entry.fields.status)
}

/** The status a viewer reads for one of the project's state; undefined for a stage that nobody has asked for. */
export function liveStatus(status: StageStatus): LiveStatus | undefined {
  if (status === 'pending') return undefined
  return status === 'running' ? 'processing' : status
}

export function stageStatus(status: LiveStatus): StageStatus {
  return status === 'processing' || status === 'restarted' ? 'running' : status
}
