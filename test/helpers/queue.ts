/** A consumer and a dispatcher of the queue `llm` on a Redis of their own. */
import type { TestContext } from 'node:test'
import type { Redis } from 'ioredis'
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

export type QueueCase = {
  process: ConsumerOptions['process']
  slots?: number
  onHeld?: ConsumerOptions['onHeld']
  /** What another process of the group does with a job, from `startPeer` on. */
  peer?: ConsumerOptions['process']
}

/** The consumer takes `slots` jobs at a time (one), and does with each what `process` says. */
export async function openQueue(t: TestContext, { process, slots = 1, onHeld = () => {}, peer }: QueueCase) {
  const connections: Redis[] = []
  let end = async () => {}
  t.after(() => end()) // before Redis goes: BullMQ might try for ever to get back to it
  const { url } = await startPlainRedis(t)
  const connect = (patience: 'fast' | 'patient') => {
    const connection = openRedis({ url }, patience)
    connections.push(connection)
    return connection
  }
  const redis = connect('fast')
  const dispatcher = createDispatcher({ connection: redis, prefix: PREFIX, log: silentLog })
  const open = (perform: ConsumerOptions['process']) =>
    createConsumer({
      queues: ['llm'],
      processes: peer ? 2 : 1,
      concurrency: { llm: peer ? 2 * slots : slots } as Record<QueueName, number>,
      connection: connect('patient'),
      reconnect: () => connect('patient'),
      prefix: PREFIX,
      log: silentLog,
      process: perform,
      isDraining: () => false,
      onHeld,
      onStuck() {},
    })
  const consumer = open(process)
  const other = peer && open(peer)
  const consumers = other ? [consumer, other] : [consumer]
  const close = async () => void (await Promise.all(consumers.map((one) => one.drain(5_000))))
  end = async () => {
    await close()
    await dispatcher.close()
    for (const connection of connections) connection.disconnect()
  }
  await untilReady(redis, 5_000) // it fails fast, and would drop what the test enqueues
  await consumer.start()
  /** The next one first. */
  const waiting = async () => (await redis.lrange(`${PREFIX}:llm:wait`, 0, -1)).reverse()
  const startPeer = async () => void (await other?.start())
  return { url, consumer, dispatcher, redis, waiting, close, startPeer }
}
