/** A consumer and a dispatcher of the queue `llm` on a Redis of their own. */
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { type ConsumerOptions, createConsumer } from '../../src/queue/consumer.ts'
import { createDispatcher } from '../../src/queue/dispatcher.ts'
import type { WakeUp } from '../../src/queue/job.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import type { QueueName } from '../../src/settings.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

export const PREFIX = '{test}'

export function wakeUp(taskId: string): WakeUp {
  return { projectId: 'p', owner: 'operator', stage: 'write', taskId, queue: 'llm', dueMs: 0 }
}

export type QueueCase = { process: ConsumerOptions['process']; slots?: number; onHeld?: ConsumerOptions['onHeld'] }

/** The consumer takes `slots` jobs at a time (one), and does with each what `process` says. */
export async function openQueue(t: TestContext, { process, slots = 1, onHeld = () => {} }: QueueCase) {
  const { url } = await startPlainRedis(t)
  const connections = (['fast', 'patient'] as const).map((patience) => openRedis({ url }, patience))
  const [redis, patient] = connections as [(typeof connections)[0], (typeof connections)[0]]
  const dispatcher = createDispatcher({ connection: redis, prefix: PREFIX, log: silentLog })
  const consumer = createConsumer({
    queues: ['llm'],
    processes: 1,
    concurrency: { llm: slots } as Record<QueueName, number>,
    connection: patient,
    reconnect: () => openRedis({ url }, 'patient'),
    prefix: PREFIX,
    log: silentLog,
    process,
    isDraining: () => false,
    onHeld,
    onStuck() {},
  })
  const close = () => consumer.drain(5_000)
  t.after(async () => {
    await close()
    await dispatcher.close()
    for (const connection of connections) connection.disconnect()
  })
  await untilReady(redis, 5_000) // it fails fast, and would drop what the test enqueues
  await consumer.start()
  /** The next one first. */
  const waiting = async () => (await redis.lrange(`${PREFIX}:llm:wait`, 0, -1)).reverse()
  return { url, consumer, dispatcher, redis, waiting, close }
}
