/** What can be used of a worker's beat: its stages run in the same process, and may send what only looks like one. */
import type { QueueTally } from '../queue/tally.ts'
import { isQueueName } from '../settings.ts'

type HeardBeat = {
  /** Jobs that ended, by outcome. */
  done: Record<string, number>
  queues: Record<string, QueueTally>
  loopDelayMs: number | null
}

export const NO_TALLY: QueueTally = { completed: 0, failed: 0, retried: 0, released: 0, started: 0, busy_s: 0 }

export function hearBeat(beat: unknown): HeardBeat {
  const { done, queues, loop_delay_ms } = fieldsOf(beat)
  const tallies = Object.entries(fieldsOf(queues)).filter(([name]) => isQueueName(name))
  return {
    done: numbersOf(done),
    queues: Object.fromEntries(tallies.map(([name, tally]) => [name, { ...NO_TALLY, ...numbersOf(tally) }])),
    loopDelayMs: isNumber(loop_delay_ms) ? loop_delay_ms : null,
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function numbersOf(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).filter((entry): entry is [string, number] => isNumber(entry[1])),
  )
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
