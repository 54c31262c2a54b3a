/** Workers as the recycler sees them, and what it decides over a row of looks. */
import {
  decideRecycle,
  NOTHING_SEEN,
  type RecycleLimits,
  type RecycleState,
  type WorkerSample,
} from '../../src/launch/recycler.ts'

export const MB = 2 ** 20
export const LIMITS: RecycleLimits = { maxJobs: 100, maxRssBytes: 500 * MB }

export function worker(changes: Partial<WorkerSample> = {}): WorkerSample {
  const slot = changes.slot ?? 'io-1'
  return {
    name: slot,
    slot,
    role: 'current',
    group: 'io',
    phase: 'ready',
    pid: 11,
    rss_bytes: 80 * MB,
    jobs: 0,
    ...changes,
  }
}

/** Looks every five seconds at what is given; answers with what each look decided. */
export function looks(all: WorkerSample[][], limits = LIMITS) {
  let state: RecycleState = NOTHING_SEEN
  return all.map((samples, i) => {
    const decision = decideRecycle(state, samples, { nowMs: i * 5_000, limits })
    state = decision.state
    return decision
  })
}

export const namesOf = (all: WorkerSample[][], limits?: RecycleLimits) =>
  looks(all, limits).map((d) => d.recycle?.name ?? null)
export const heavy = worker({ rss_bytes: 600 * MB })
