/** For how long work has been waiting: a healthy queue is one that moves, not one that is short. */
import type { Redis } from 'ioredis'
import { QUEUE_NAMES, type QueueName } from '../settings.ts'

/** Milliseconds since 1970 from which the next job of each queue could have run; a queue without one is left out. */
export async function readOldest(connection: Redis, prefix: string): Promise<Map<QueueName, number>> {
  const next = await answers(
    connection,
    QUEUE_NAMES.map((name) => ['lindex', `${prefix}:${name}:wait`, -1]),
  )
  const waiting = QUEUE_NAMES.flatMap((name, i) => (typeof next[i] === 'string' ? [{ name, id: next[i] }] : []))
  const facts = await answers(
    connection,
    waiting.map(({ name, id }) => ['hmget', `${prefix}:${name}:${id}`, 'timestamp', 'delay']),
  )
  const rows = waiting.flatMap(({ name }, i) => {
    const [timestamp, delay] = (facts[i] as (string | null)[]).map(Number)
    return timestamp ? [[name, timestamp + (delay ?? 0)] as const] : [] // 0: it was taken between the two questions
  })
  return new Map(rows)
}

type Command = (string | number)[]

/** In one round trip; throws the first error. */
async function answers(connection: Redis, commands: Command[]): Promise<unknown[]> {
  if (commands.length === 0) return []
  const found = (await connection.pipeline(commands).exec()) ?? []
  return found.map(([error, value]) => {
    if (error) throw error
    return value
  })
}
