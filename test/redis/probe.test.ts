/** Looking at real servers: fit, unfit, locked, silent, absent, and things that are no Redis. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { locateRedis } from '../../src/redis/locate.ts'
import { findFreePort } from '../../src/redis/port.ts'
import { parseInfo, probeRedis } from '../../src/redis/probe.ts'
import type { RedisSettings } from '../../src/redis/settings.ts'
import { startPlainRedis } from './redis-process.ts'

const QUIET = { onProgress() {} }

test('a refused connection is known at once', async () => {
  const url = `redis://127.0.0.1:${await findFreePort()}/0`
  const startedMs = performance.now()
  const probe = await probeRedis(url, 30_000)
  assert.ok(probe.state === 'away' && /ECONNREFUSED/.test(probe.detail))
  assert.ok(performance.now() - startedMs < 10_000)
})

test('a plain Redis answers with what it is, and auto does not trust it', async (t) => {
  const { url, port } = await startPlainRedis(t)
  const probe = await probeRedis(url, 5_000)
  assert.ok(probe.state === 'answers')
  assert.match(probe.version!, /^\d+\.\d+/)
  assert.equal(probe.policy, 'noeviction')
  assert.equal(probe.aof, false)
  assert.ok(probe.latencyMs > 0)
  const location = await locateRedis(settings({ port }), QUIET)
  assert.ok(location.mode === 'spawn')
  assert.match(location.why, /without an append-only file/)
  assert.equal(location.binary, 'redis-server')
})

test('auto attaches to one with AOF; one that evicts is refused when it was named', async (t) => {
  const fit = await startPlainRedis(t, ['--appendonly', 'yes'])
  const location = await locateRedis(settings({ port: fit.port }), QUIET)
  assert.equal(location.mode, 'attach')
  const evicting = await startPlainRedis(t, ['--maxmemory-policy', 'allkeys-lru'])
  const named = settings({ mode: 'attach', url: evicting.url })
  await assert.rejects(locateRedis(named, QUIET), { code: 'unavailable', message: /allkeys-lru/ })
})

test('the policy is known even where CONFIG is forbidden', async (t) => {
  const { url } = await startPlainRedis(t, ['--maxmemory-policy', 'allkeys-lfu', '--rename-command', 'CONFIG', ''])
  const probe = await probeRedis(url, 5_000)
  assert.equal(probe.state === 'answers' && probe.policy, 'allkeys-lfu')
})

test('a wrong or missing password is said', async (t) => {
  const { port } = await startPlainRedis(t, ['--requirepass', 'right'])
  assert.equal((await probeRedis(`redis://:right@127.0.0.1:${port}/0`, 5_000)).state, 'answers')
  for (const secret of ['', ':wrong@']) {
    const probe = await probeRedis(`redis://${secret}127.0.0.1:${port}/0`, 5_000)
    assert.ok(probe.state === 'denied')
    assert.match(probe.detail, /NOAUTH|WRONGPASS/)
  }
})

test('what does not answer is given up at the deadline', async (t) => {
  const redis = await startPlainRedis(t)
  redis.pause()
  const startedMs = performance.now()
  const probe = await probeRedis(redis.url, 300)
  redis.resume()
  assert.ok(probe.state === 'away' && /no answer within 300 ms/.test(probe.detail))
  assert.ok(performance.now() - startedMs < 10_000)
})

test('something else on the port is not taken for a Redis', async (t) => {
  const port = await listen(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  const probe = await probeRedis(`redis://127.0.0.1:${port}/0`, 2_000)
  assert.notEqual(probe.state, 'answers')
  const location = await locateRedis(settings({ port }), QUIET)
  assert.equal(location.mode, 'spawn')
})

test('INFO is read line by line', () => {
  const info = parseInfo(
    '# Server\r\nredis_version:7.0.15\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\nodd:a:b\r\n',
  )
  assert.deepEqual(Object.fromEntries(info), { redis_version: '7.0.15', maxmemory_policy: 'noeviction', odd: 'a:b' })
})

async function listen(t: TestContext, answer: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return (server.address() as { port: number }).port
}

function settings(given: Partial<RedisSettings>): RedisSettings {
  return {
    mode: 'auto',
    url: null,
    host: '127.0.0.1',
    port: 6379,
    portExplicit: false,
    db: 0,
    password: null,
    ...given,
  }
}
