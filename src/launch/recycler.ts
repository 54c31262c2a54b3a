/** Replaces workers that have done many jobs or hold much memory: one at a time in the whole installation. */
import { sha256 } from '../lib/ids.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { type Futile, holdsTooMuch, type MemoryState, NOTHING_HELD, noteReplaced, watchMemory } from './memory-watch.ts'

/** 0 = never. */
export type RecycleLimits = { maxJobs: number; maxRssBytes: number }

/** A worker as it is seen at one look. */
export type WorkerSample = Pick<ChildStatus, 'name' | 'slot' | 'role' | 'group' | 'phase' | 'pid' | 'rss_bytes'> & {
  /** Since its process started. */
  jobs: number
}

export type RecycleState = {
  memory: MemoryState
  /** The process that was to be replaced last, until it is seen whether it was. */
  asked: { slot: string; pid: number } | null
  notBeforeMs: number
}

export type RecycleDecision = {
  state: RecycleState
  recycle: { name: string; why: string } | null
  futile: Futile[]
}

/** A successor that does not come up is not tried again before. */
const RETRY_MS = 60_000
/** Of the number of jobs, up and down, so that processes which started together do not end together. */
const JITTER = 0.1

export const NOTHING_SEEN: RecycleState = { memory: NOTHING_HELD, asked: null, notBeforeMs: 0 }

export function decideRecycle(
  before: RecycleState,
  samples: readonly WorkerSample[],
  { nowMs, limits }: { nowMs: number; limits: RecycleLimits },
): RecycleDecision {
  const { state: memory, futile } = watchMemory(before.memory, samples, { nowMs, maxBytes: limits.maxRssBytes })
  const state = { ...concludeLast(before, samples, nowMs), memory }
  const due = isQuiet(samples) && nowMs >= state.notBeforeMs ? findDue(samples, memory, limits) : undefined
  if (!due) return { state, recycle: null, futile }
  const { sample, why, isHeavy } = due
  const asked = { slot: sample.slot, pid: sample.pid! }
  const after = isHeavy ? noteReplaced(memory, sample, nowMs) : memory
  return { state: { ...state, asked, memory: after }, recycle: { name: sample.name, why }, futile }
}

/** How many jobs this very process may do. */
export function jobLimit(maxJobs: number, { name, pid }: Pick<WorkerSample, 'name' | 'pid'>): number {
  const share = Number.parseInt(sha256(`${name} ${pid}`).slice(0, 8), 16) / 2 ** 32
  return Math.max(1, Math.round(maxJobs * (1 - JITTER + 2 * JITTER * share)))
}

/** When everything is quiet again and the process is still there, its successor did not come up. */
function concludeLast(before: RecycleState, samples: readonly WorkerSample[], nowMs: number): RecycleState {
  const { asked } = before
  if (!asked || samples.some(({ slot, role }) => slot === asked.slot && role !== 'current')) return before
  const failed = samples.some(({ pid }) => pid === asked.pid)
  return { ...before, asked: null, notBeforeMs: failed ? nowMs + RETRY_MS : before.notBeforeMs }
}

/** A parked one may stay so for ever; anything else that is not ready is on its way somewhere. */
function isQuiet(samples: readonly WorkerSample[]): boolean {
  return samples.every(({ role, phase }) => role === 'current' && (phase === 'ready' || phase === 'parked'))
}

/** Memory first: it is what can take the machine down. */
function findDue(samples: readonly WorkerSample[], memory: MemoryState, limits: RecycleLimits) {
  const ready = samples.filter(({ phase, pid }) => phase === 'ready' && pid !== null)
  const heavy = ready.find((one) => holdsTooMuch(memory, one))
  if (heavy)
    return { sample: heavy, why: `it holds ${megabytes(heavy.rss_bytes)} MB (WORKER_MAX_RSS_MB)`, isHeavy: true }
  // With a parked neighbour the group needs this one more than a fresh one.
  const parked = new Set(samples.flatMap(({ phase, group }) => (phase === 'parked' ? [group] : [])))
  const worn = ready.find((one) => !parked.has(one.group) && isWorn(one, limits))
  return worn && { sample: worn, why: `it has done ${worn.jobs} jobs (WORKER_MAX_JOBS)`, isHeavy: false }
}

function isWorn(sample: WorkerSample, { maxJobs }: RecycleLimits): boolean {
  return maxJobs > 0 && sample.jobs >= jobLimit(maxJobs, sample)
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
