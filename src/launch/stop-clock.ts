/** The one deadline of a stop, part by part: absolute, lowered by impatience, put off by a time in which we did not run. */
import { momentsOf, type StopBudget, type StopMoments, type StopPart } from './stop-budget.ts'

export type StopClock = {
  /** Sooner where `budget`, begun at `fromMs`, is over sooner; never later. */
  lower(budget: StopBudget, fromMs?: number): void
  /** Until this part has to be over; 0 when it should be. */
  leftMs(part: StopPart): number
  /** Waits for `work`, but no longer than this part may take; false when it has not ended by then. */
  by(part: StopPart, work: Promise<unknown>): Promise<boolean>
  /** Fires when this part has to be over. */
  signal(part: StopPart): AbortSignal
  end(): void
}

const BEAT_MS = 50
/** So late a beat means that we were suspended (Ctrl+Z): nobody could make use of that time. */
const LATE_MS = 1_000

export function createStopClock(budget: StopBudget, now = () => performance.now()): StopClock {
  const waiters = new Set<{ part: StopPart; ring: () => void }>()
  let moments = momentsOf(budget, now())
  let beatMs = now()

  function beat(): void {
    const lateMs = now() - beatMs
    beatMs = now()
    if (lateMs > LATE_MS) moments = mapMoments(moments, (_, atMs) => atMs + lateMs)
    for (const waiter of waiters) {
      if (moments[waiter.part] > now()) continue
      waiters.delete(waiter)
      waiter.ring()
    }
  }

  const timer = setInterval(beat, BEAT_MS)
  return {
    lower(sooner, fromMs = now()) {
      beat() // what is owed for a suspension that no beat has seen yet, only the old moments may get
      const others = momentsOf(sooner, fromMs)
      moments = mapMoments(moments, (part, atMs) => Math.min(atMs, others[part]))
    },
    leftMs(part) {
      beat()
      return Math.max(0, moments[part] - now())
    },
    async by(part, work) {
      const { promise: due, resolve } = Promise.withResolvers<boolean>()
      const waiter = { part, ring: () => resolve(false) }
      waiters.add(waiter)
      work.catch(() => {}) // what fails after its time is seen by the sweep, or by the next start
      return Promise.race([work.then(() => true), due]).finally(() => waiters.delete(waiter))
    },
    signal(part) {
      const over = new AbortController()
      waiters.add({ part, ring: () => over.abort() })
      return over.signal
    },
    end: () => clearInterval(timer),
  }
}

function mapMoments(moments: StopMoments, change: (part: StopPart, atMs: number) => number): StopMoments {
  const rows = Object.entries(moments) as [StopPart, number][]
  return Object.fromEntries(rows.map(([part, atMs]) => [part, change(part, atMs)])) as StopMoments
}
