/** Redis goes away, comes late, or forgets everything: the API answers, work is accepted, and goes on. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { openRedis } from '../../src/redis/client.ts'
import { QUEUE_NAMES } from '../../src/settings.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { reservePort } from '../helpers/ports.ts'
import { killSupervisor } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { untilHealthy, untilStatus } from '../helpers/wait.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

test('an attached Redis that vanishes: the running step goes on, work is accepted, all is done when it is back', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const gates = createGates(t)
  gates.hold('write-2')
  const redis = await startPlainRedis(t)
  const instance = await installation.start({ env: attachTo(redis.port) })
  const input = { folder: gates.folder }
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input })
  await gates.reached('write-2')
  await redis.end()
  await untilRedisRuns(instance, false)
  assert.equal((await fetch(`${instance.url}/status`)).status, 503)
  assert.equal((await instance.api.projects.get(id)).status, 'running')
  const late = await instance.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
  assert.equal(late.dispatch, 'delayed')
  gates.release('write-2')
  await gates.reached('write-3')
  await startPlainRedis(t, [], redis.port)
  await Promise.all([id, late.id].map((one) => untilStatus({ layout, id: one }, 'completed')))
  assert.equal(gates.visits('write-2'), 1)
  await untilHealthy(instance)
})

test('an attached Redis that hangs without a word: the API answers all the same, and the work is done later', async (t) => {
  const installation = await createInstallation(t)
  const redis = await startPlainRedis(t)
  const instance = await installation.start({ env: attachTo(redis.port) })
  redis.pause()
  await untilRedisRuns(instance, false)
  const watch = startWatch()
  const input = { folder: createGates(t).folder }
  const { id, dispatch } = await instance.api.projects.create({ pipeline: 'steps', input })
  watch.assertBelow(5_000)
  assert.equal(dispatch, 'delayed')
  assert.equal((await instance.api.projects.list()).items[0]?.id, id)
  redis.resume()
  await untilStatus({ layout: installation.layout, id }, 'completed')
  await untilHealthy(instance)
})

test('an attached Redis that is away at boot: the API serves and accepts; the work begins when Redis comes', async (t) => {
  const installation = await createInstallation(t)
  const port = await reservePort(t)
  const instance = await installation.start({ env: attachTo(port) })
  assert.equal((await fetch(`${instance.url}/status`)).status, 503)
  assert.equal((await fetch(`${instance.url}/livez`)).status, 200)
  const input = { folder: createGates(t).folder }
  const { id, dispatch } = await instance.api.projects.create({ pipeline: 'steps', input })
  assert.equal(dispatch, 'delayed')
  await startPlainRedis(t, [], port)
  await untilStatus({ layout: installation.layout, id }, 'completed')
  await untilHealthy(instance)
  await untilLimited(t, port)
})

test('an attached Redis that comes late and would drop queued work is named, and the status is unhealthy', async (t) => {
  const installation = await createInstallation(t)
  const port = await reservePort(t)
  const instance = await installation.start({ env: attachTo(port) })
  await startPlainRedis(t, ['--maxmemory-policy', 'allkeys-lru'], port)
  await untilRedisRuns(instance, true)
  const { status, message } = (await instance.api.status()).data
  assert.equal(status, 'unhealthy')
  assert.match(message, /Redis cannot be used: its maxmemory-policy is allkeys-lru/)
  const told = () => instance.output().match(/must not be used: its maxmemory-policy is allkeys-lru/g)?.length ?? 0
  await until(() => told() > 0, { timeoutMs: 10_000, what: 'it to be told' })
  assert.equal(told(), 1)
})

test('FLUSHALL while nothing waits: the totals of the queues over all processes are set again', async (t) => {
  const installation = await createInstallation(t)
  const redis = await startPlainRedis(t)
  await installation.start({ env: attachTo(redis.port) })
  const client = await untilLimited(t, redis.port)
  await client.flushall()
  await untilLimited(t, redis.port)
})

test('FLUSHALL in mid-run: what runs goes on, what was queued is queued again within 10 s', async (t) => {
  const { instance, redis, layout, gates, first, second } = await startTwoFilms(t)
  const client = openRedis({ url: redis.url }, 'patient')
  await client.flushall()
  client.disconnect()
  gates.release('film-2')
  const watch = startWatch()
  await Promise.all([first, second].map((id) => untilStatus({ layout, id }, 'completed')))
  t.diagnostic(`all done ${Math.round(watch.ms())} ms after it`)
  watch.assertBelow(10_000)
  assert.equal(gates.visits('film-2'), 2, 'once for each project')
  await untilHealthy(instance)
})

test('an attached Redis is left running, and nothing of a stopped run is left in its queues for the next', async (t) => {
  const { installation, instance, redis, layout, gates, first, second } = await startTwoFilms(t)
  await killSupervisor(installation, instance)
  gates.release('film-2')
  const again = await installation.start({ env: attachTo(redis.port) })
  await Promise.all([first, second].map((id) => untilStatus({ layout, id }, 'completed')))
  again.signal('SIGTERM')
  await again.ended(20_000)
  const client = openRedis({ url: redis.url }, 'patient')
  t.after(() => client.disconnect())
  assert.equal(await client.ping(), 'PONG')
})

test('two installations that share a Redis do not see each other', async (t) => {
  const { instance, redis, layout, gates, first, second } = await startTwoFilms(t)
  const other = await createInstallation(t)
  const neighbour = await other.start({ env: attachTo(redis.port) })
  assert.deepEqual((await neighbour.api.status()).data.queues.video, { waiting: 0, active: 0, failed: 0 })
  const input = { folder: createGates(t).folder }
  const { id } = await neighbour.api.projects.create({ pipeline: 'steps', input })
  await untilStatus({ layout: other.layout, id }, 'completed')
  neighbour.signal('SIGTERM')
  await neighbour.ended(20_000)
  assert.deepEqual((await instance.api.status()).data.queues.video, { waiting: 1, active: 1, failed: 0 })
  gates.release('film-2')
  await Promise.all([first, second].map((one) => untilStatus({ layout, id: one }, 'completed')))
})

/** One project holds the only slot of the video queue, the other waits for it there. */
async function startTwoFilms(t: TestContext) {
  const installation = await createInstallation(t)
  const { layout } = installation
  const gates = createGates(t)
  gates.hold('film-2')
  const redis = await startPlainRedis(t)
  const instance = await installation.start({ env: attachTo(redis.port) })
  const make = () => instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  const { id: first } = await make()
  await gates.reached('film-2')
  const { id: second } = await make()
  await until(async () => (await instance.api.status()).data.queues.video?.waiting === 1, { timeoutMs: 20_000 })
  return { installation, instance, redis, layout, gates, first, second }
}

/** Every queue's total is known to Redis, the ones nobody has used as well. */
async function untilLimited(t: TestContext, port: number) {
  const client = openRedis({ url: `redis://127.0.0.1:${port}/0` }, 'patient')
  t.after(() => client.disconnect())
  const limits = async () => {
    const keys = await client.keys('*:meta')
    return Promise.all(keys.map((key) => client.hget(key, 'concurrency')))
  }
  const areSet = async () => (await limits()).filter((limit) => Number(limit) > 0).length === QUEUE_NAMES.length
  await until(areSet, { timeoutMs: 30_000, what: 'the totals of all queues' })
  return client
}

function attachTo(port: number): Record<string, string> {
  return { REDIS: 'attach', REDIS_URL: `redis://127.0.0.1:${port}/0` }
}

async function untilRedisRuns({ api }: Instance, wanted: boolean): Promise<void> {
  const probe = async () => (await api.status()).data.services.redis.running === wanted
  await until(probe, { timeoutMs: 20_000, what: `Redis to be ${wanted ? 'there' : 'away'}` })
}
