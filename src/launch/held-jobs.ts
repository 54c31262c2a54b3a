/** Which jobs each worker holds, as it said last; what a dead one held goes back at once. */
import type { Dispatcher } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'

export type HeldJobs = {
  /** Takes the message that workers send whenever a job begins or ends; ignores any other. */
  note(worker: string, message: unknown): void
  of(worker: string): HeldJob[]
  all(): HeldJob[]
  /** Puts a dead worker's jobs back and says how many; the new claims supersede the old ones. */
  takeBack(worker: string, dispatcher: Dispatcher): Promise<number>
}

export function createHeldJobs(): HeldJobs {
  const held = new Map<string, HeldJob[]>()
  return {
    note(worker, message) {
      const { type, jobs } = message as { type?: unknown; jobs?: HeldJob[] }
      if (type === 'held' && jobs) held.set(worker, jobs)
    },
    of: (worker) => held.get(worker) ?? [],
    all: () => [...held.values()].flat(),
    async takeBack(worker, dispatcher) {
      const jobs = held.get(worker) ?? []
      held.delete(worker)
      // What cannot be taken back now (Redis is away too), the reconciler finds by the dead owner's claim.
      const back = await Promise.all(jobs.map((job) => dispatcher.takeBack(job).catch(() => false)))
      return back.filter(Boolean).length
    },
  }
}
