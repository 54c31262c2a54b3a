/** How much of each queue could be begun now, from BullMQ's own keys in one round trip. */
import type { Redis } from 'ioredis'
import { QUEUE_NAMES, type QueueName } from '../settings.ts'

/** `due` jobs could begin at once; `limit` is the total over all processes, null when Redis has none. */
export type Backlog = { due: number; active: number; limit: number | null; paused: boolean }

/** BullMQ keeps a delayed job's due time (ms since 1970) in the bits above a counter of twelve bits. */
const DELAY_UNIT = 0x1000

/** Throws when Redis is away. */
export async function readBacklog(
  connection: Redis,
  prefix: string,
  nowMs: number,
): Promise<Record<QueueName, Backlog>> {
  const pipe = connection.pipeline()
  for (const name of QUEUE_NAMES) {
    const key = (part: string) => `${prefix}:${name}:${part}`
    pipe.llen(key('wait')).zcard(key('prioritized'))
    pipe.zcount(key('delayed'), 0, (nowMs + 1) * DELAY_UNIT - 1)
    pipe.llen(key('active')).hmget(key('meta'), 'concurrency', 'paused')
  }
  const answers = ((await pipe.exec()) ?? []).map(([error, value]) => {
    if (error) throw error
    return value
  })
  const rows = QUEUE_NAMES.map((name, i) => [name, backlogOf(answers.slice(i * 5, i * 5 + 5))] as const)
  return Object.fromEntries(rows) as Record<QueueName, Backlog>
}

function backlogOf([wait, prioritized, delayed, active, meta]: unknown[]): Backlog {
  const [concurrency, paused] = meta as [string | null, string | null]
  return {
    due: Number(wait) + Number(prioritized) + Number(delayed),
    active: Number(active),
    limit: concurrency === null ? null : Number(concurrency),
    paused: paused !== null,
  }
}
