/** What a worker has done since it began, by queue: its beats carry it, so that a stuck consumer and a leak are seen. */
import type { Outcome } from '../pipelines/attempt-run.ts'
import type { QueueName } from '../settings.ts'

/** How stages ended; `released`: given back, to go on later or elsewhere. */
export type Done = { completed: number; failed: number; retried: number; released: number }

/** `started` counts jobs that were taken from the queue, `busy_s` the seconds for which stages ran. */
export type QueueTally = Done & { started: number; busy_s: number }

export type Tally = {
  started(queue: QueueName): void
  /** `outcome` is undefined for a job that found nothing to do. */
  ended(queue: QueueName, end: { outcome: Outcome['kind'] | undefined; ms: number }): void
  queues(): Partial<Record<QueueName, QueueTally>>
  /** Over all queues. */
  done(): Done
}

const COUNTED: Record<Outcome['kind'], keyof Done | null> = {
  completed: 'completed',
  failed: 'failed',
  stuck: 'failed',
  retry: 'retried',
  released: 'released',
  superseded: null, // somebody else's end is the one that counts
}

export function createTally(queues: readonly QueueName[]): Tally {
  const counts = new Map(queues.map((queue) => [queue, emptyTally()]))
  return {
    started: (queue) => void counts.get(queue)!.started++,
    ended(queue, { outcome, ms }) {
      const key = outcome && COUNTED[outcome]
      if (!key) return
      const tally = counts.get(queue)!
      tally[key]++
      tally.busy_s += ms / 1_000
    },
    queues: () => Object.fromEntries([...counts].map(([queue, tally]) => [queue, { ...tally }])),
    done() {
      const sum = { completed: 0, failed: 0, retried: 0, released: 0 }
      for (const tally of counts.values()) for (const key of KEYS) sum[key] += tally[key]
      return sum
    },
  }
}

const KEYS = ['completed', 'failed', 'retried', 'released'] as const

function emptyTally(): QueueTally {
  return { completed: 0, failed: 0, retried: 0, released: 0, started: 0, busy_s: 0 }
}
