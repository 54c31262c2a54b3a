/** An attached Redis is away for a minute, or forgets everything: work goes on or waits, nobody is blamed. Side by side, as they mostly wait. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sleep, until } from '../../src/lib/until.ts'
import { openRedis } from '../../src/redis/client.ts'
import { assertUntouched, childrenOf, pidOf, untilReplaced } from '../helpers/children.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { reservePort } from '../helpers/ports.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

const AWAY_MS = 60_000

describe('an attached Redis', { concurrency: true }, () => {
  test('away for 60 s at boot: the program serves, takes work, and does it when Redis comes', async (t) => {
    const installation = await createInstallation(t)
    const { layout } = installation
    const port = await reservePort(t)
    const instance = await installation.start({ env: attachTo(port) })
    const before = await childrenOf(instance)
    const gates = createGates(t)
    const { id, dispatch } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
    assert.equal(dispatch, 'delayed')
    await assertDegraded(instance, AWAY_MS)
    await startPlainRedis(t, [], port)
    await untilStatus({ layout, id }, 'completed')
    assertVisits(gates)
    await untilHealthy(instance)
    await assertBlameless(instance, before)
  })

  test('away for 60 s in mid-run, and back without its data: what ran went on, what waited is done, nothing twice', async (t) => {
    const redis = await startPlainRedis(t)
    const plan = { held: ['film-2'], start: { env: attachTo(redis.port) } }
    const { layout, gates, instance, id } = await startProject(t, plan)
    const before = await childrenOf(instance)
    const { id: waiting } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
    await untilState({ layout, id: waiting }, (state) => stageOf(state, 'film').status === 'queued')
    await redis.end()
    gates.release('film-2')
    await untilState({ layout, id }, (state) => stageOf(state, 'film').status === 'completed')
    const { id: late, dispatch } = await instance.api.projects.create({
      pipeline: 'steps',
      input: { folder: gates.folder },
    })
    assert.equal(dispatch, 'delayed')
    await assertDegraded(instance, AWAY_MS)
    await startPlainRedis(t, [], redis.port)
    const ends = await Promise.all([id, waiting, late].map((one) => untilStatus({ layout, id: one }, 'completed')))
    for (const { stages } of ends)
      assert.deepEqual(
        stages.map(({ attempts, retries }) => [attempts, retries]),
        Array(3).fill([1, 0]),
      )
    assert.equal(gates.visits('film-2'), 3, 'once for each project')
    await untilHealthy(instance)
    await assertBlameless(instance, before)
  })

  test('restarted empty in mid-run: the running stage is not disturbed, the waiting one is queued again within 10 s', async (t) => {
    const redis = await startPlainRedis(t)
    const plan = { held: ['film-2'], start: { env: attachTo(redis.port) } }
    const { layout, gates, instance, id } = await startProject(t, plan)
    const before = await childrenOf(instance)
    const { id: waiting } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
    await untilState({ layout, id: waiting }, (state) => stageOf(state, 'film').status === 'queued')
    await redis.end()
    await startPlainRedis(t, [], redis.port)
    const watch = startWatch()
    const counts = async () => (await instance.api.status()).data.queues.video
    await until(async () => (await counts())?.waiting === 1, { timeoutMs: 25_000, what: 'the lost job to be queued' })
    t.diagnostic(`queued again after ${Math.round(watch.ms())} ms`)
    watch.assertBelow(10_000)
    await sleep(2_000) // long enough for a second `film` to begin beside the first, if its limit had been lost
    assert.deepEqual([gates.visits('film-1'), gates.visits('film-2')], [1, 1])
    gates.release('film-2')
    await Promise.all([id, waiting].map((one) => untilStatus({ layout, id: one }, 'completed')))
    assert.deepEqual([gates.visits('film-1'), gates.visits('film-2')], [2, 2])
    await untilHealthy(instance)
    await assertBlameless(instance, before)
  })

  test('FLUSHALL after the scheduler was killed: its successor finds the work that is lost', async (t) => {
    const redis = await startPlainRedis(t)
    const plan = { held: ['film-2'], start: { env: attachTo(redis.port) } }
    const { layout, gates, instance, id } = await startProject(t, plan)
    const before = await childrenOf(instance)
    const { id: waiting } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
    await untilState({ layout, id: waiting }, (state) => stageOf(state, 'film').status === 'queued')
    const pid = await pidOf(instance, 'scheduler')
    process.kill(pid, 'SIGKILL')
    await untilReplaced(instance, { name: 'scheduler', pid })
    const client = openRedis({ url: redis.url }, 'patient')
    t.after(() => client.disconnect())
    await client.flushall()
    gates.release('film-2')
    await Promise.all([id, waiting].map((one) => untilStatus({ layout, id: one }, 'completed')))
    assert.equal(gates.visits('film-1'), 2)
    await untilHealthy(instance)
    await assertUntouched(instance, before, ['scheduler'])
  })

  test('FLUSHALL ten times while ten projects run: all are completed, each step once', async (t) => {
    const redis = await startPlainRedis(t)
    const installation = await createInstallation(t, { env: attachTo(redis.port) })
    const { layout } = installation
    const instance = await installation.start()
    const before = await childrenOf(instance)
    const gates = createGates(t)
    const client = openRedis({ url: redis.url }, 'patient')
    t.after(() => client.disconnect())
    const ids: string[] = []
    for (let i = 0; i < 10; i++) {
      const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
      ids.push(id)
      await client.flushall()
    }
    await Promise.all(ids.map((id) => untilStatus({ layout, id, timeoutMs: 60_000 }, 'completed')))
    assertVisits(gates, Object.fromEntries(everyGate().map((gate) => [gate, ids.length])))
    await untilHealthy(instance)
    await assertBlameless(instance, before)
  })
})

function everyGate(): string[] {
  return ['write', 'film', 'check'].flatMap((stage) => ['1', '2', '3'].map((part) => `${stage}-${part}`))
}

function attachTo(port: number): Record<string, string> {
  return { REDIS: 'attach', REDIS_URL: `redis://127.0.0.1:${port}/0` }
}

/** All the time: alive, but not ready for work, and saying so. */
async function assertDegraded({ api, url }: Instance, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs
  await until(async () => !(await api.status()).data.services.redis.running, { timeoutMs: 20_000 })
  while (performance.now() < endMs) {
    const [live, ready, status] = await Promise.all(
      ['livez', 'readyz', 'status'].map(async (path) => (await fetch(`${url}/${path}`)).status),
    )
    assert.deepEqual([live, ready, status], [200, 503, 503])
    await sleep(1_000)
  }
}

/** Nobody was taken for hung, killed or started again for what Redis did. */
async function assertBlameless(instance: Instance, before: Awaited<ReturnType<typeof childrenOf>>): Promise<void> {
  assert.deepEqual([...instance.facts('child_hung'), ...instance.facts('child_exited')], [])
  await assertUntouched(instance, before)
}
