/** Connections and the monitor while Redis vanishes and comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { openRedis, retryMs } from '../../src/redis/client.ts'
import { createRedisWatch, type RedisHealth } from '../../src/redis/monitor.ts'
import { createPlace } from '../../src/redis/place.ts'
import { findFreePort } from '../../src/redis/port.ts'
import { startPlainRedis } from './redis-process.ts'

const WAIT = { timeoutMs: 10_000, everyMs: 10 }

test('fast fails at once while Redis is away, patient and blocking wait for its return', async (t) => {
  const first = await startPlainRedis(t)
  const fast = openRedis(first, 'fast', { commandTimeout: 60_000 }) // not what ends its commands
  const [patient, blocking] = (['patient', 'blocking'] as const).map((kind) => openRedis(first, kind))
  t.after(() => [fast, patient, blocking].forEach((client) => void client?.disconnect()))
  await until(() => fast.status === 'ready' && blocking?.status === 'ready' && patient?.status === 'ready', WAIT)
  const popped = blocking!.blpop('list', 0)
  await first.end()
  await until(() => fast.status !== 'ready', WAIT)
  const startedMs = performance.now()
  await assert.rejects(fast.get('key'))
  assert.ok(performance.now() - startedMs < 10_000)
  const waiting = patient!.set('key', 'value')
  await startPlainRedis(t, [], first.port)
  const backMs = performance.now()
  assert.equal(await waiting, 'OK')
  await until(() => fast.status === 'ready', WAIT)
  assert.ok(performance.now() - backMs < 5_000, 'no long backoff')
  assert.equal(await fast.get('key'), 'value')
  await patient!.rpush('list', 'item')
  assert.deepEqual(await popped, ['list', 'item'])
})

test('what is on its way when Redis ends fails at once on a fast connection', async (t) => {
  const redis = await startPlainRedis(t)
  const fast = openRedis(redis, 'fast', { commandTimeout: 60_000 })
  t.after(() => fast.disconnect())
  await until(() => fast.status === 'ready', WAIT)
  redis.pause()
  const answer = assert.rejects(fast.get('key'))
  const startedMs = performance.now()
  await redis.end()
  await answer
  assert.ok(performance.now() - startedMs < 20_000)
})

test('reconnects never wait longer than 250 ms', () => {
  assert.deepEqual([1, 5, 100].map(retryMs), [20, 100, 250])
})

test('the monitor knows latency, an end at once, a return, and a server that hangs', async (t) => {
  const first = await startPlainRedis(t)
  const watch = createRedisWatch(createPlace(first.url, 'attached'), { everyMs: 50 })
  t.after(() => watch.stop())
  const changes: boolean[] = []
  const off = watch.onChange(({ running }: RedisHealth) => changes.push(running))
  await until(() => watch.latest().running, WAIT)
  assert.ok(watch.latest().latency_ms! >= 0)
  const { since } = watch.latest()
  await first.end()
  await until(() => !watch.latest().running, WAIT)
  assert.equal(watch.latest().latency_ms, null)
  assert.notEqual(watch.latest().since, since)
  const second = await startPlainRedis(t, [], first.port)
  await until(() => watch.latest().running, WAIT)
  second.pause()
  await until(() => !watch.latest().running, WAIT)
  second.resume()
  await until(() => watch.latest().running, WAIT)
  assert.deepEqual(changes, [true, false, true, false, true])
  const seldom = createRedisWatch(createPlace(first.url, 'attached'), { everyMs: 600_000 })
  t.after(() => seldom.stop())
  await until(() => seldom.latest().running, WAIT)
  off()
  await second.end()
  await until(() => !watch.latest().running, WAIT)
  await until(() => !seldom.latest().running, { ...WAIT, what: 'the closed connection to be noticed without a ping' })
  assert.equal(changes.length, 5)
})

test('an attached Redis that comes late, or comes back otherwise, is checked as it is at boot', async (t) => {
  const port = await findFreePort()
  const watch = createRedisWatch(createPlace(`redis://127.0.0.1:${port}/0`, 'attached'), { everyMs: 50 })
  t.after(() => watch.stop())
  const said: string[] = []
  watch.onRefusal((why) => void said.push(why))
  const evicting = await startPlainRedis(t, ['--maxmemory-policy', 'allkeys-lru'], port)
  await until(() => watch.latest().running, WAIT)
  assert.match(watch.latest().refusal ?? '', /maxmemory-policy is allkeys-lru/, 'known as soon as it runs')
  assert.deepEqual(said, [watch.latest().refusal])
  await evicting.end()
  await until(() => !watch.latest().running, WAIT)
  await startPlainRedis(t, [], port)
  await until(() => watch.latest().running, WAIT)
  assert.equal(watch.latest().refusal, null)
})
