/** Jobs of a dead process on a real Redis: only its own go back, and what was begun goes first. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { type ConsumerOptions, createConsumer } from '../../src/queue/consumer.ts'
import { createDispatcher } from '../../src/queue/dispatcher.ts'
import type { WakeUp } from '../../src/queue/job.ts'
import type { Verdict } from '../../src/queue/process-job.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import type { QueueName } from '../../src/settings.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

const PREFIX = '{test}'

test('a process that died gets its own jobs taken back, in front of all that wait; nobody else does', async (t) => {
  const ended = Promise.withResolvers<Verdict>()
  const { consumer, dispatcher, waiting, close } = await openQueue(t, () => ended.promise)
  assert.ok(await dispatcher.enqueue(['p-1', 'p-2', 'p-3'].map(wakeUp)))
  await until(() => consumer.held().length === 1, { timeoutMs: 5_000 })
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid + 1), 0)
  assert.deepEqual(await waiting(), ['p-2', 'p-3'])
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid), 1)
  assert.deepEqual(await waiting(), ['p-1', 'p-2', 'p-3'])
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid), 0)
  const closed = close()
  ended.resolve({ kind: 'done' }) // as a zombie would, whose lock is gone
  await closed
  assert.deepEqual(await waiting(), ['p-1', 'p-2', 'p-3'])
})

test('a job that is given back is the next, and one that is done is forgotten', async (t) => {
  const seen: string[] = []
  const { dispatcher, redis } = await openQueue(t, async ({ taskId }) => {
    seen.push(taskId)
    return seen.length === 1 ? { kind: 'back' } : { kind: 'done' }
  })
  assert.ok(await dispatcher.enqueue(['p-1', 'p-2'].map(wakeUp)))
  const isOver = async () => seen.length >= 3 && (await redis.exists(`${PREFIX}:llm:p-1`, `${PREFIX}:llm:p-2`)) === 0
  await until(isOver, { timeoutMs: 10_000 })
  assert.deepEqual(seen, ['p-1', 'p-1', 'p-2'])
})

function wakeUp(taskId: string): WakeUp {
  return { projectId: 'p', owner: 'operator', stage: 'write', taskId, queue: 'llm', dueMs: 0 }
}

/** One consumer of `llm` that takes one job at a time, and does with it what `process` says. */
async function openQueue(t: TestContext, process: ConsumerOptions['process']) {
  const { url } = await startPlainRedis(t)
  const connections = (['fast', 'patient'] as const).map((patience) => openRedis({ url }, patience))
  const [redis, patient] = connections as [(typeof connections)[0], (typeof connections)[0]]
  const dispatcher = createDispatcher({ connection: redis, prefix: PREFIX, log: silentLog })
  const options = {
    queues: ['llm'] as const,
    processes: 1,
    concurrency: { llm: 1 } as Record<QueueName, number>,
    connection: patient,
    reconnect: () => openRedis({ url }, 'patient'),
    prefix: PREFIX,
    log: silentLog,
    process,
    isDraining: () => false,
    onHeld() {},
    onStuck() {},
  }
  const consumer = createConsumer(options)
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
  return { consumer, dispatcher, redis, waiting, close }
}
