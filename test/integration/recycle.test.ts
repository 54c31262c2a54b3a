/** Recycling on the real program: a leak is cut off, worn workers give way, and no stage notices. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { until } from '../../src/lib/until.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'
import { assertAlwaysServed, assertOneAtATime, historyOf, watchWorkers } from '../helpers/workforce.ts'

const MB = 2 ** 20

type Started = { installation: Installation; gates: Gates; instance: Instance }
type Plan = { count: number; steps: number; ms: number; leakMb?: number; prefix?: string }

async function start(t: TestContext, env: Record<string, string>): Promise<Started> {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  return { installation, gates, instance: await installation.start({ env }) }
}

async function makeProjects({ instance, gates }: Started, { count, prefix = 'p', ...plan }: Plan): Promise<string[]> {
  const make = async (n: number) => {
    const input = { folder: gates.folder, name: `${prefix}${n}`, ...plan }
    return (await instance.api.projects.create({ pipeline: 'paced', input })).id
  }
  return mapLimit(
    Array.from({ length: count }, (_, n) => n),
    10,
    make,
  )
}

/** Each is completed once, spent no retry, and did each of its steps once. Gives why stages were given back. */
async function assertNothingLost(
  { installation, gates }: Started,
  ids: string[],
  { steps, prefix = 'p' }: Pick<Plan, 'steps' | 'prefix'>,
) {
  const released: string[] = []
  for (const [n, id] of ids.entries()) {
    const { stages } = await untilStatus({ layout: installation.layout, id, timeoutMs: 120_000 }, 'completed')
    const history = historyOf(installation.layout, id)
    assert.deepEqual([stages[0]?.retries, history.completed, history.steps.length], [0, 1, steps])
    assert.equal(history.claims, 1 + history.released.length, 'no attempt that was not handed over')
    for (let i = 1; i <= steps; i++) assert.equal(gates.visits(`${prefix}${n}-${i}`), 1)
    released.push(...history.released)
  }
  assert.ok(
    released.every((reason) => reason === 'recycle'),
    released.join(),
  )
  return released
}

test('a worker whose jobs leak is replaced before it grows on, and the stages that run go on in the new one', async (t) => {
  const limitMb = 240
  const started = await start(t, { WORKER_MAX_RSS_MB: String(limitMb), LLM_CONCURRENCY: '8' })
  const { instance, gates } = started
  const watch = watchWorkers(instance)
  const { pid } = await workerOf(instance, 'io-1')
  // Four stages stand in the middle while the others leak one megabyte each.
  gates.hold(...[0, 1, 2, 3].map((n) => `held${n}-2`))
  const held = await makeProjects(started, { count: 4, steps: 3, ms: 0, prefix: 'held' })
  const leaking = await makeProjects(started, { count: 200, steps: 1, ms: 10, leakMb: 1, prefix: 'leak' })
  const isReplaced = async () => (await workerOf(instance, 'io-1')).pid !== pid
  await until(isReplaced, { timeoutMs: 120_000, what: 'the worker to be replaced' })
  gates.release(...[0, 1, 2, 3].map((n) => `held${n}-2`))
  const handedOver = await assertNothingLost(started, held, { steps: 3, prefix: 'held' })
  assert.equal(handedOver.length, 4)
  await assertNothingLost(started, leaking, { steps: 1, prefix: 'leak' })
  await watch.stop()
  assertAlwaysServed(watch, 'io')
  assertOneAtATime(watch)
  const why = instance.facts('child_replacing').find((fact) => fact.name === 'io-1')?.why
  assert.match(why!, /it holds \d+ MB \(WORKER_MAX_RSS_MB\)/)
  const most = Math.max(...watch.looks.flat().map((one) => one.rss_bytes)) / MB
  assert.ok(most > limitMb, `it had grown to ${most} MB`)
  await untilHealthy(instance)
  const now = await workerOf(instance, 'io-1')
  assert.ok(now.rss_bytes! < limitMb * MB, 'the new one is small again')
  assert.equal(now.restarts, instance.facts('child_replaced').length)
})

test('after WORKER_MAX_JOBS=20 jobs each worker gives way, never two at once, while two hundred jobs run', async (t) => {
  const started = await start(t, {
    WORKERS: 'llm,image,batch_processing,maintenance,health:2 video,ai_analysis:1',
    WORKER_MAX_JOBS: '20',
    LLM_CONCURRENCY: '4',
  })
  const { instance } = started
  const watch = watchWorkers(instance)
  const ids = await makeProjects(started, { count: 200, steps: 2, ms: 250 })
  await assertNothingLost(started, ids, { steps: 2 })
  await watch.stop()
  assertAlwaysServed(watch, 'io')
  assertOneAtATime(watch)
  const replacing = instance.facts('child_replacing')
  assert.ok(replacing.length >= 3, `${replacing.length} were recycled`)
  assert.deepEqual([...new Set(replacing.map((fact) => fact.name))].sort(), ['io-1', 'io-2'])
  for (const { why } of replacing) assert.ok(Number(/done (\d+) jobs/.exec(why)?.[1]) >= 18, why)
  assert.deepEqual(instance.facts('child_replace_failed'), [])
  assert.deepEqual(instance.facts('child_restart_planned'), [], 'none was a crash')
})
