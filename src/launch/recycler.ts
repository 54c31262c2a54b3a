/** Replaces workers that have done many jobs or hold much memory: one at a time in the whole installation. */
import { sha256 } from '../lib/ids.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'

/** 0 = never. */
export type RecycleLimits = { maxJobs: number; maxRssBytes: number }

/** A worker as it is seen at one look. */
export type WorkerSample = Pick<ChildStatus, 'name' | 'slot' | 'role' | 'group' | 'phase' | 'pid' | 'rss_bytes'> & {
  /** Since its process started. */
  jobs: number
}

/** Of one process, by pid: how much memory it held when it was fresh, and in how many looks in a row too much. */
type Watched = { freshBytes: number; over: number }

export type RecycleState = {
  watched: ReadonlyMap<number, Watched>
  /** The process that was to be replaced last, until it is seen whether it was. */
  asked: { slot: string; pid: number } | null
  notBeforeMs: number
}

export type RecycleDecision = {
  state: RecycleState
  recycle: { name: string; why: string } | null
  /** Fresh processes over the limit: it is too low for them. */
  futile: { name: string; rssBytes: number }[]
}

/** One look may catch a peak that is given back at once. */
const OVER_LOOKS = 3
/** A successor that does not come up is not tried again before. */
const RETRY_MS = 60_000
/** Of the number of jobs, up and down, so that processes which started together do not end together. */
const JITTER = 0.1
/** Where already a fresh process holds more than the limit, only growth says that a new one would be better. */
const GROWTH = 1.5

export const NOTHING_SEEN: RecycleState = { watched: new Map(), asked: null, notBeforeMs: 0 }

export function decideRecycle(
  before: RecycleState,
  samples: readonly WorkerSample[],
  { nowMs, limits }: { nowMs: number; limits: RecycleLimits },
): RecycleDecision {
  const seen = watch(before.watched, samples, limits)
  const state = { ...concludeLast(before, samples, nowMs), watched: seen.watched }
  const due = isQuiet(samples) && nowMs >= state.notBeforeMs ? findDue(samples, seen.watched, limits) : undefined
  if (!due) return { state, recycle: null, futile: seen.futile }
  const asked = { slot: due.sample.slot, pid: due.sample.pid! }
  return { state: { ...state, asked }, recycle: { name: due.sample.name, why: due.why }, futile: seen.futile }
}

/** How many jobs this very process may do. */
export function jobLimit(maxJobs: number, { name, pid }: Pick<WorkerSample, 'name' | 'pid'>): number {
  const share = Number.parseInt(sha256(`${name} ${pid}`).slice(0, 8), 16) / 2 ** 32
  return Math.max(1, Math.round(maxJobs * (1 - JITTER + 2 * JITTER * share)))
}

function watch(before: RecycleState['watched'], samples: readonly WorkerSample[], { maxRssBytes }: RecycleLimits) {
  const watched = new Map<number, Watched>()
  const futile: RecycleDecision['futile'] = []
  for (const { name, pid, phase, rss_bytes } of samples) {
    if (pid === null || phase !== 'ready' || rss_bytes === 0) continue // 0: not measured yet
    const known = before.get(pid)
    const freshBytes = known?.freshBytes ?? rss_bytes
    const mayHold = freshBytes > maxRssBytes ? freshBytes * GROWTH : maxRssBytes
    const isOver = maxRssBytes > 0 && rss_bytes > mayHold
    if (!known && maxRssBytes > 0 && freshBytes > maxRssBytes) futile.push({ name, rssBytes: freshBytes })
    watched.set(pid, { freshBytes, over: isOver ? (known?.over ?? 0) + 1 : 0 })
  }
  return { watched, futile }
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
function findDue(samples: readonly WorkerSample[], watched: RecycleState['watched'], limits: RecycleLimits) {
  const ready = samples.filter(({ phase, pid }) => phase === 'ready' && pid !== null)
  const heavy = ready.find(({ pid }) => (watched.get(pid!)?.over ?? 0) >= OVER_LOOKS)
  if (heavy) return { sample: heavy, why: `it holds ${megabytes(heavy.rss_bytes)} MB (WORKER_MAX_RSS_MB)` }
  // With a parked neighbour the group needs this one more than a fresh one.
  const parked = new Set(samples.flatMap(({ phase, group }) => (phase === 'parked' ? [group] : [])))
  const worn = ready.find((one) => !parked.has(one.group) && isWorn(one, limits))
  return worn && { sample: worn, why: `it has done ${worn.jobs} jobs (WORKER_MAX_JOBS)` }
}

function isWorn(sample: WorkerSample, { maxJobs }: RecycleLimits): boolean {
  return maxJobs > 0 && sample.jobs >= jobLimit(maxJobs, sample)
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
