/** Which jobs each worker holds, as it said last; what a dead one held goes back at once. */
import type { Dispatcher } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import type { QueueName } from '../settings.ts'

export type HeldJobs = {
  /** Takes the message that workers send whenever a job begins or ends; ignores any other. */
  note(worker: string, message: unknown): void
  of(worker: string): HeldJob[]
  all(): HeldJob[]
  /** Puts a dead worker's jobs back and says how many; the new claims supersede the old ones. */
  takeBack(worker: { name: string; queues: readonly QueueName[] }, dispatcher: Dispatcher): Promise<number>
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
    async takeBack({ name, queues }, dispatcher) {
      const jobs = held.get(name) ?? []
      held.delete(name)
      // What cannot be taken back now (Redis is away too), the reconciler finds by the dead owner's claim.
      const back = await Promise.all(jobs.map((job) => dispatcher.takeBack(job).catch(() => false)))
      const others = new Set([...held.values()].flat().map((job) => job.taskId))
      const unheld = await dispatcher.takeBackUnheld(queues, others).catch(() => 0)
      return back.filter(Boolean).length + unheld
    },
  }
}
