import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { watchAnswers } from '../../src/redis/answers.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import { startPlainRedis } from './redis-process.ts'

test('silence grows while Redis stands still or is gone, and ends with the first byte of it', async (t) => {
  const redis = await startPlainRedis(t)
  const client = openRedis(redis, 'patient')
  t.after(() => client.disconnect())
  await untilReady(client, 5_000)
  let nowMs = 0
  const silence = watchAnswers(client, () => nowMs)
  const after = (seconds: number) => {
    nowMs += seconds * 1_000
    return silence()
  }
  assert.equal(after(1), 0, 'the connection itself was an answer')
  assert.equal(after(3), 3, 'nothing was asked')
  await client.ping()
  assert.equal(after(1), 0)
  redis.pause()
  const late = client.ping()
  assert.deepEqual([after(1), after(10), after(10)], [1, 11, 21])
  redis.resume()
  await late
  assert.equal(after(1), 0)
  await redis.end()
  assert.equal(after(5), 5)
  await startPlainRedis(t, [], redis.port)
  await until(() => client.status === 'ready', { timeoutMs: 5_000 })
  assert.equal(after(1), 0)
})
