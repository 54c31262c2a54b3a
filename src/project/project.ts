/** A project's record: what its folder says, folded. Field names are the outer contract's. */

export const STATUSES = ['pending', 'queued', 'running', 'waiting', 'completed', 'failed', 'cancelled'] as const
export type StageStatus = (typeof STATUSES)[number]
export type ProjectStatus = StageStatus
export type WaitReason = 'quota' | 'budget' | 'disk' | 'interrupted'

export type StageError = { code: string; message: string; details?: Record<string, unknown> }

/** A remembered step: valid while `key` (a hash of all it depends on) is the same and its files are there. */
export type StepState = {
  name: string
  status: 'completed'
  key: string
  result: { value: unknown } | { artifact: string }
  files: string[]
  /** The result is `{ value, text }`: the text that was emitted in the step is kept with its value. */
  texted?: true
}

export type StageUsage = { input_tokens: number; output_tokens: number; cost_usd: number | null }

export type StageState = {
  name: string
  queue: string
  status: StageStatus
  reason: WaitReason | null
  /** An earlier stage was done anew after this one had completed. */
  stale: boolean
  progress: number
  message: string | null
  /** Starts, those after a crash included. */
  attempts: number
  /** Tries spent by errors. */
  retries: number
  /** When the next try is due, while one is waited for. */
  retry_at: string | null
  /** How often a provider asked to wait; that spends no retry. */
  waits: number
  /** When the reason for waiting is known to pass. */
  wait_until: string | null
  task_id: string | null
  started_at: string | null
  finished_at: string | null
  duration_ms: number | null
  last_progress_at: string | null
  steps: StepState[]
  /** Input of this stage alone (execute-stage), in place of the project's. */
  own_input: { value: unknown } | { file: string } | null
  /** The text that the stage streamed, when it has completed; a text over 16 KB lies in the artifact named below. */
  text: string | null
  text_artifact: string | null
  /** A value of at most 16 KB; a larger one lies in the artifact named below and is put back by the API. */
  result: unknown
  result_artifact: string | null
  error: StageError | null
  provider: string | null
  model: string | null
  degraded: string[]
  usage: StageUsage
  /** Calls to providers that `usage` sums up, the failed ones too. */
  calls: number
}

/** `file` is the name under `artifacts/`; it holds the content's hash, so that no writer overwrites another's. */
export type ArtifactState = { name: string; stage: string; mime: string; bytes: number; sha256: string; file: string }

export type ProjectState = {
  version: 1
  id: string
  pipeline: string
  title: string
  owner: string
  batch_id: string | null
  status: ProjectStatus
  reason: WaitReason | null
  progress: number
  created_at: string
  updated_at: string
  /** How many valid records of the journal this state was folded from. */
  revision: number
  /** Null when it is over 16 KB: then it lies in `input_file`, relative to the folder, and the API puts it back. */
  input: unknown
  input_file: string | null
  error: StageError | null
  stages: StageState[]
  artifacts: ArtifactState[]
}

/** A line of a list: the state without input, results, steps and files. */
export type ProjectSummary = Pick<
  ProjectState,
  | 'id'
  | 'pipeline'
  | 'title'
  | 'owner'
  | 'batch_id'
  | 'status'
  | 'reason'
  | 'progress'
  | 'created_at'
  | 'updated_at'
  | 'error'
>

/** Statuses in which nothing more happens without a request. */
export const ENDED: ReadonlySet<ProjectStatus> = new Set(['completed', 'failed', 'cancelled'])
/** Statuses in which a stage is on its way. */
export const ACTIVE: ReadonlySet<ProjectStatus> = new Set(['queued', 'running'])

export function summaryOf(state: ProjectState): ProjectSummary {
  const { id, pipeline, title, owner, batch_id, status, reason, progress, created_at, updated_at, error } = state
  return { id, pipeline, title, owner, batch_id, status, reason, progress, created_at, updated_at, error }
}
