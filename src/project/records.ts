/** What a journal can say, and how one record is written and recognised. */
import { crc32 } from 'node:zlib'
import type { ProjectState, StageError, StageUsage, WaitReason } from './project.ts'

/** Who does a stage: enough to tell whether that very process still runs, and to put its job back. */
export type ClaimOwner = { run: string; pid: number; started: string; worker: string; token: string }

/** Why an attempt gave its stage back; `recycle` puts it into the queue again at once. */
export type ReleaseReason = WaitReason | 'recycle'

/** How a worker process ended, in words for people. */
export type WorkerExit = { worker: string; reason: string; at: string }

export type Credit = { provider: string | null; model: string | null; degraded: string[]; usage: StageUsage }

/** A JSON value, or the name of the artifact that holds it because it is over 16 KB. */
export type StoredValue = { value: unknown } | { artifact: string }

export type JournalRecord = { at: string } & (
  | {
      type: 'created'
      id: string
      pipeline: string
      title: string
      owner: string
      batch_id: string | null
      /** The input, or where it lies when it is over 16 KB. */
      input: { value: unknown } | { file: string }
      stages: { name: string; queue: string }[]
      autostart: boolean
    }
  /** The start of a journal that was lost: the state file's content. */
  | { type: 'recovered'; state: ProjectState }
  /** One requested execution; `continues`: the stages behind it follow by themselves. */
  | { type: 'queued'; stage: string; task_id: string; continues: boolean }
  /** One stage alone, anew and with an input of its own; what failed or waits elsewhere steps back. */
  | {
      type: 'executed'
      stage: string
      task_id: string
      input: { value: unknown } | { file: string }
      /** Names the request, so that it finds its task, and its repetition the same. */
      request_id: string | null
    }
  | { type: 'claim'; stage: string; task_id: string; fence: string; supersedes: string | null; owner: ClaimOwner }
  | { type: 'progress'; stage: string; fence: string; progress: number; message: string | null }
  | {
      type: 'artifact'
      stage: string
      fence: string
      name: string
      file: string
      mime: string
      bytes: number
      sha256: string
    }
  /** `texted`: what is stored is `{ value, text }`, with the text that was emitted in the step. */
  | {
      type: 'step'
      stage: string
      fence: string
      name: string
      key: string
      result: StoredValue
      files: string[]
      texted?: true
    }
  | { type: 'published'; stage: string; fence: string; files: string[] }
  | { type: 'completed'; stage: string; fence: string; result: StoredValue; text: StoredValue | null; credit: Credit }
  | { type: 'failed'; stage: string; fence: string; error: StageError; retry_at: string | null }
  /** The worker ended by itself while it had this claim; written by the supervisor in its name. `charged`: this stage did it. */
  | { type: 'crashed'; stage: string; fence: string; exit: WorkerExit; charged: boolean }
  /** The provider asked to wait: due again at `until`, without a try being spent. */
  | { type: 'deferred'; stage: string; fence: string; until: string; error: StageError }
  /** Before a paid call, so that a crash in the middle of it is known; `called` says that its answer is on disk. */
  | { type: 'intent'; stage: string; fence: string; request_key: string; provider: string; model: string | null }
  /** What one call cost, failed ones too; `call` keeps what the provider said of it. */
  | { type: 'spent'; stage: string; fence: string; usage: StageUsage; call: Record<string, unknown> }
  | { type: 'called'; stage: string; fence: string; request_key: string; outcome: 'answered' | 'refused' }
  /** Without a fence: the stage had never been claimed. */
  | {
      type: 'released'
      stage: string
      fence: string | null
      reason: ReleaseReason
      until?: string | null
      error?: StageError
    }
  | { type: 'cancelled' }
  /** Start or resume: what failed, was cancelled or waits may be tried again. */
  | { type: 'reopened' }
  | { type: 'rerun'; stage: string; and_following: boolean }
  /** Files of a completed stage are gone from the disk: it has to run again. */
  | { type: 'demoted'; stage: string; missing: string[] }
)

export type RecordBody = JournalRecord extends infer R ? (R extends JournalRecord ? Omit<R, 'at'> : never) : never

/** A record as text: its own line, whatever torn bytes stand before it. */
export function encodeRecord(record: JournalRecord): string {
  const json = JSON.stringify(record)
  return `\n${json.slice(0, -1)},"crc":"${checksum(json)}"}\n`
}

const TAIL = /,"crc":"([0-9a-f]{8})"\}$/

/** The record of one line, or undefined when the line is torn or was changed. */
export function decodeRecord(line: string): JournalRecord | undefined {
  const tail = TAIL.exec(line)
  if (!tail) return undefined
  const json = `${line.slice(0, tail.index)}}`
  if (checksum(json) !== tail[1]) return undefined
  try {
    return JSON.parse(json) as JournalRecord
  } catch {
    return undefined // a checksum cannot make bad JSON good
  }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}
