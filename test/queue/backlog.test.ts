import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Queue, Worker } from 'bullmq'
import { silentLog } from '../../src/lib/log.ts'
import { createDispatcher } from '../../src/queue/dispatcher.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import { QUEUE_NAMES, type QueueName } from '../../src/settings.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

const PREFIX = '{test}'
const MINUTE_MS = 60_000

test('what is due, active, limited and paused, as BullMQ itself has written it', async (t) => {
  let end = async () => {}
  t.after(() => end()) // before Redis goes: BullMQ might try for ever to get back to it
  const redis = await startPlainRedis(t)
  const connection = openRedis(redis, 'patient')
  await untilReady(connection, 5_000)
  const dispatcher = createDispatcher({ connection, prefix: PREFIX, log: silentLog })
  const none = { due: 0, active: 0, limit: null, paused: false }
  assert.deepEqual((await dispatcher.backlog()).image, none)

  const queue = new Queue('image', { connection, prefix: PREFIX })
  await queue.setGlobalConcurrency(4)
  await queue.addBulk([
    { name: 'now', data: {} },
    { name: 'now', data: {} },
    { name: 'soon', data: {}, opts: { delay: 1 } },
    { name: 'later', data: {}, opts: { delay: MINUTE_MS } },
    { name: 'first', data: {}, opts: { priority: 1 } },
  ])
  const worker = new Worker('image', null, { connection, prefix: PREFIX })
  end = async () => {
    await Promise.all([worker.close(true), queue.close(), dispatcher.close()])
    connection.disconnect()
  }
  await worker.getNextJob('token')
  const seen = (await dispatcher.backlog()).image
  assert.deepEqual(seen, { due: 3, active: 1, limit: 4, paused: false })
  await queue.pause()
  assert.equal((await dispatcher.backlog()).image.paused, true)
  await queue.resume()
  assert.deepEqual((await dispatcher.backlog()).llm, none)
})

test('the totals of the queues are what BullMQ goes by, and are kept without being changed', async (t) => {
  let end = async () => {}
  t.after(() => end())
  const redis = await startPlainRedis(t)
  const connection = openRedis(redis, 'patient')
  const dispatcher = createDispatcher({ connection, prefix: PREFIX, log: silentLog })
  const queue = new Queue('image', { connection, prefix: PREFIX })
  end = async () => {
    await Promise.all([queue.close(), dispatcher.close()])
    connection.disconnect()
  }
  const totals = (total: number) => Object.fromEntries(QUEUE_NAMES.map((name) => [name, total])) as Totals
  await dispatcher.keepLimit(totals(3))
  assert.equal(await queue.getGlobalConcurrency(), 3)
  await dispatcher.keepLimit(totals(5))
  assert.equal(await queue.getGlobalConcurrency(), 3)
  await dispatcher.limit(totals(5))
  assert.equal(await queue.getGlobalConcurrency(), 5)
})

type Totals = Record<QueueName, number>
