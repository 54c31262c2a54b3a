/** Workers that live and do nothing: one that takes no job gets a new consumer, one without Redis is waited for. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { sleep } from '../../src/lib/until.ts'
import type { StuckFetch } from '../fixtures/preloads/stuck-fetch.ts'
import { assertUntouched, childrenOf, pidOf } from '../helpers/children.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { assertVisits, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'
import { startPlainRedis } from '../redis/redis-process.ts'

const PRELOAD = new URL('../fixtures/preloads/stuck-fetch.ts', import.meta.url)
/** 15 s without a job, seen at looks that are 5 s apart. */
const REFRESHED_MS = 25_000
const REPLACED_MS = 90_000
const PAUSE_MS = 20_000

/** They mostly wait: side by side. */
describe('stuck', { concurrency: true }, () => {
  test('a consumer that fetches nothing is made anew within 25 s; what runs goes on, and no process is restarted', async (t) => {
    const { instance, layout, break: breakIt } = await startBreakable(t)
    const first = createGates(t)
    first.hold('count-1')
    const running = await createCount(instance, first)
    await first.reached('count-1')
    const before = await childrenOf(instance)
    await breakIt('image', { all: false })
    const watch = startWatch()
    const waiting = await createCount(instance, createGates(t))
    await untilStatus({ layout, id: waiting, timeoutMs: 2 * REFRESHED_MS }, 'completed')
    t.diagnostic(`the job was done after ${Math.round(watch.ms())} ms`)
    watch.assertBelow(REFRESHED_MS)
    assert.deepEqual(
      instance.facts('consumer_refreshed').map(({ name, queue }) => [name, queue]),
      [['io-1', 'image']],
    )
    first.release('count-1')
    const ends = await Promise.all([running, waiting].map((id) => untilStatus({ layout, id }, 'completed')))
    assert.deepEqual(
      ends.map(({ stages }) => [stages[0]?.attempts, stages[0]?.retries]),
      [
        [1, 0],
        [1, 0],
      ],
    )
    const next = createGates(t)
    await untilStatus({ layout, id: await createCount(instance, next) }, 'completed')
    await assertUntouched(instance, before)
    assert.equal(instance.facts('consumer_refreshed').length, 1)
  })

  test('a process for which a new consumer does not help is replaced; its running stage is handed over', async (t) => {
    const { instance, layout, break: breakIt } = await startBreakable(t)
    const gates = createGates(t)
    gates.hold('write-2')
    const running = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
    await gates.reached('write-2')
    const before = await childrenOf(instance)
    await breakIt('image', { all: true })
    const waiting = await createCount(instance, createGates(t))
    await untilStatus({ layout, id: waiting, timeoutMs: REPLACED_MS }, 'completed')
    assert.equal(instance.facts('consumer_refreshed').length, 1)
    assert.deepEqual(
      instance.facts('child_replaced').map(({ name }) => name),
      ['io-1'],
    )
    gates.release('write-2')
    const { stages } = await untilState({ layout, id: running.id }, (s) => s.status === 'completed')
    assert.deepEqual(
      stages.map(({ retries }) => retries),
      [0, 0, 0],
    )
    assertVisits(gates)
    await untilGone([before.find(({ name }) => name === 'io-1')!.pid!]) // a fetch that hangs keeps nobody
    await untilHealthy(instance)
    await assertUntouched(instance, before, ['io-1'])
  })

  test('an attached Redis that stands still for 20 s is waited for: nobody is killed, nothing is refreshed', async (t) => {
    const redis = await startPlainRedis(t)
    const start = { env: { REDIS: 'attach', REDIS_URL: redis.url } }
    const { instance, layout, gates, id } = await startProject(t, { held: ['write-2'], start })
    const before = await childrenOf(instance)
    redis.pause()
    t.after(redis.resume)
    const late = createGates(t)
    const { id: other } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: late.folder } })
    await sleep(PAUSE_MS)
    redis.resume()
    gates.release('write-2')
    const ends = await Promise.all([id, other].map((one) => untilStatus({ layout, id: one }, 'completed')))
    assert.deepEqual(
      ends.map(({ stages }) => stages.map((s) => [s.attempts, s.retries])),
      Array(2).fill(Array(3).fill([1, 0])),
    )
    assertVisits(gates)
    assertVisits(late)
    await untilHealthy(instance)
    await assertUntouched(instance, before)
    const accusations = [...instance.facts('child_hung'), ...instance.facts('consumer_refreshed')]
    assert.deepEqual(accusations, [])
  })
})

/** A program whose worker for some queue can be made to fetch nothing any more. */
async function startBreakable(t: TestContext) {
  const path = join(await tempFolder(t), 'stuck.json')
  const env = { TEST_STUCK_FETCH_FILE: path, NODE_OPTIONS: `--import=${PRELOAD.href}` }
  const { start, layout } = await createInstallation(t, { env })
  const instance = await start()
  return {
    instance,
    layout,
    async break(queue: string, { all }: Pick<StuckFetch, 'all'>) {
      const pid = await pidOf(instance, 'io-1')
      writeFileSync(path, JSON.stringify({ queue, pid, all } satisfies StuckFetch))
    },
  }
}

async function createCount({ api }: Instance, { folder }: Gates): Promise<string> {
  const { id } = await api.projects.create({ pipeline: 'count', input: { folder, total: 3, paceMs: 1, pauses: [1] } })
  return id
}
