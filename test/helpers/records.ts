/** Short words for journal records, and their fold. */
import { applyRecord } from '../../src/project/fold.ts'
import { emptyFold, type Folded } from '../../src/project/folded.ts'
import type { ClaimOwner, JournalRecord, RecordBody } from '../../src/project/records.ts'

const OWNER: ClaimOwner = { run: 'r', pid: 1, started: '1', worker: 'io-1', token: 't' }
const CREDIT = {
  provider: 'builtin',
  model: null,
  degraded: [],
  usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
}
const STAGES = ['a', 'b', 'c'].map((name) => ({ name, queue: 'llm' }))
export const CREATED: RecordBody = {
  type: 'created',
  id: 'p',
  pipeline: 'x',
  title: 't',
  owner: 'operator',
  batch_id: null,
  input: { value: {} },
  stages: STAGES,
  autostart: true,
}

export function fold(bodies: RecordBody[], from: Folded = emptyFold()): Folded {
  return bodies.reduce(
    (folded, body, i) => applyRecord(folded, { at: new Date(i * 1_000).toISOString(), ...body } as JournalRecord),
    from,
  )
}

export const queued = (stage: string, n: number): RecordBody => ({
  type: 'queued',
  stage,
  task_id: `p-${n}`,
  continues: true,
})
/** `supersedes` is the fence that stands: null for a first claim. */
export const claim = (
  stage: string,
  n: number,
  fences: string | [fence: string, supersedes: string | null],
): RecordBody => {
  const [fence, supersedes] = typeof fences === 'string' ? [fences, null] : fences
  return { type: 'claim', stage, task_id: `p-${n}`, fence, supersedes, owner: OWNER }
}
export const completed = (stage: string, fence: string): RecordBody => ({
  type: 'completed',
  stage,
  fence,
  result: { value: fence },
  text: null,
  credit: CREDIT,
})
export const failed = (stage: string, fence: string, retry_at: string | null): RecordBody => ({
  type: 'failed',
  stage,
  fence,
  error: { code: 'stage_failed', message: 'no' },
  retry_at,
})
export const crashed = (stage: string, fence: string, charged: boolean): RecordBody => ({
  type: 'crashed',
  stage,
  fence,
  exit: { worker: 'io-1', reason: 'exited with code 3', at: '2026-01-01T00:00:00.000Z' },
  charged,
})
export const statuses = (folded: Folded) => folded.state.stages.map((s) => s.status)
