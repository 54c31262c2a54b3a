/** Jobs of a dead process on a real Redis: only its own go back, and what was begun goes first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { Verdict } from '../../src/queue/process-job.ts'
import { openQueue, PREFIX, wakeUp } from '../helpers/queue.ts'

test('a process that died gets its own jobs taken back, in front of all that wait; nobody else does', async (t) => {
  const ended = Promise.withResolvers<Verdict>()
  const { consumer, dispatcher, waiting, close } = await openQueue(t, { process: () => ended.promise })
  assert.ok(await dispatcher.enqueue(['p-1', 'p-2', 'p-3'].map(wakeUp)))
  await until(() => consumer.held().length === 1, { timeoutMs: 5_000 })
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid + 1), 0)
  assert.deepEqual(await waiting(), ['p-2', 'p-3'])
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid), 1)
  assert.deepEqual(await waiting(), ['p-1', 'p-2', 'p-3'])
  assert.equal(await dispatcher.takeBackFrom(['llm', 'image'], process.pid), 0)
  const { queue, token } = consumer.held()[0]!
  assert.equal(await dispatcher.takeBack({ queue, taskId: 'p-9', token }), false, 'it is not there')
  await assert.rejects(dispatcher.takeBack({ queue, taskId: 'p-1', token }), 'it is not active any more')
  const closed = close()
  ended.resolve({ kind: 'done' }) // as a zombie would, whose lock is gone
  await closed
  assert.deepEqual(await waiting(), ['p-1', 'p-2', 'p-3'])
})

test('a job that is given back is the next, and one that is done is forgotten', async (t) => {
  const seen: string[] = []
  const process = async ({ taskId }: { taskId: string }): Promise<Verdict> => {
    seen.push(taskId)
    return seen.length === 1 ? { kind: 'back' } : { kind: 'done' }
  }
  const { dispatcher, redis } = await openQueue(t, { process })
  assert.ok(await dispatcher.enqueue(['p-1', 'p-2'].map(wakeUp)))
  const isOver = async () => seen.length >= 3 && (await redis.exists(`${PREFIX}:llm:p-1`, `${PREFIX}:llm:p-2`)) === 0
  await until(isOver, { timeoutMs: 10_000 })
  assert.deepEqual(seen, ['p-1', 'p-1', 'p-2'])
})
