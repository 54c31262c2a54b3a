/** Operators at work on the real program: restart under load, scale up and down, refusals, and a stop in between. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { until } from '../../src/lib/until.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'
import { assertAlwaysServed, historyOf, mostAtOnce, watchWorkers } from '../helpers/workforce.ts'

type Started = { installation: Installation; gates: Gates; instance: Instance }

async function start(t: TestContext, env: Record<string, string>): Promise<Started> {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  return { installation, gates, instance: await installation.start({ env }) }
}

type Plan = { count: number; steps: number; ms: number }

async function makeProjects({ instance, gates }: Started, { count, steps, ms }: Plan): Promise<string[]> {
  const make = async (n: number) => {
    const input = { folder: gates.folder, name: `p${n}`, steps, ms }
    return (await instance.api.projects.create({ pipeline: 'paced', input })).id
  }
  return mapLimit(numbers(count), 10, make)
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Every project is completed once, each step was begun once, and nothing was spent on the way. */
async function assertDoneOnce({ installation, gates }: Started, ids: string[], steps: number): Promise<string[]> {
  const released: string[] = []
  for (const [n, id] of ids.entries()) {
    const { stages } = await untilStatus({ layout: installation.layout, id, timeoutMs: 60_000 }, 'completed')
    const history = historyOf(installation.layout, id)
    assert.deepEqual([stages[0]?.retries, history.completed], [0, 1])
    assert.deepEqual(history.steps.toSorted(), Array.from({ length: steps }, (_, i) => `part-${i + 1}`).toSorted())
    for (let i = 1; i <= steps; i++) assert.equal(gates.visits(`p${n}-${i}`), 1, `part ${i} of project ${n}`)
    released.push(...history.released)
  }
  return released
}

test('restart under load of 50 running stages: the new one serves, they go on there, nothing is done twice', async (t) => {
  const started = await start(t, { LLM_CONCURRENCY: '50' })
  const { installation, instance, gates } = started
  const held = numbers(50).map((n) => `p${n}-2`)
  gates.hold(...held)
  const ids = await makeProjects(started, { count: 50, steps: 4, ms: 100 })
  const arePresent = () => held.every((name) => gates.visits(name) === 1)
  await until(arePresent, { timeoutMs: 30_000, everyMs: 50, what: 'fifty stages in their second step' })
  const { pid } = await workerOf(instance, 'io-1')
  const watch = watchWorkers(instance)
  const answer = await instance.api.workers.restart('io-1')
  assert.equal(answer.name, 'io-1')
  await assert.rejects(instance.api.workers.restart('io-1'), { code: 'wrong_state' })
  const isReplaced = async () => (await workerOf(instance, 'io-1')).pid !== pid
  await until(isReplaced, { timeoutMs: 60_000, everyMs: 20, what: 'the successor to serve' })
  gates.release(...held)
  await untilGone([pid!], 40_000)
  await watch.stop()
  assertAlwaysServed(watch, 'io')
  const roles = new Set(watch.looks.flat().map((one) => one.role))
  assert.deepEqual([...roles].sort(), ['current', 'next', 'old'])
  const released = await assertDoneOnce(started, ids, 4)
  assert.deepEqual(
    released,
    numbers(50).map(() => 'recycle'),
    'each was handed over once',
  )
  // Beats come once a second.
  const now = await until(() => doneBy(instance, 'io-1', 50), { timeoutMs: 20_000, what: 'its last beat' })
  assert.notEqual(now.pid, pid)
  assert.deepEqual([now.restarts, now.ready, now.role, now.queues.includes('llm')], [1, true, 'current', true])
  assert.ok(now.rss_bytes > 0 && now.beat_age_s! < 5)
  const isOldForgotten = async () => (await instance.api.workers.list()).items.length === 2
  await until(isOldForgotten, { timeoutMs: 10_000, what: 'the end of the old one to be heard' })
  assert.equal(instance.facts('child_parked').length, 0)
  await untilHealthy(instance)
  assert.equal((await installation.processes()).length, 4, 'redis, two workers, the scheduler')
})

async function doneBy({ api }: Instance, name: string, jobs: number) {
  const { items } = await api.workers.list()
  return items.find((one) => one.name === name && one.jobs_done >= jobs)
}

test('a group is scaled 1 → 3 → 1 while a hundred jobs run: all are done once, never more at a time than the queue may', async (t) => {
  const started = await start(t, { LLM_CONCURRENCY: '6' })
  const { installation, instance, gates } = started
  // The first six to come hold every slot until the added processes serve.
  const held = numbers(10).map((n) => `p${n}-1`)
  gates.hold(...held)
  const ids = await makeProjects(started, { count: 100, steps: 2, ms: 150 })
  const watch = watchWorkers(instance)
  const more = await instance.api.workers.scale({ group: 'io', processes: 3 })
  assert.deepEqual([more.processes, more.names], [3, ['io-1', 'io-2', 'io-3']])
  assert.match(more.message, /WORKERS/)
  const readyNames = async () => {
    const { items } = await instance.api.workers.list()
    return items.flatMap((one) => (one.group === 'io' && one.ready ? [one.name] : [])).sort()
  }
  const serves = (...names: string[]) =>
    until(async () => (await readyNames()).join() === names.join(), { timeoutMs: 40_000 })
  await serves('io-1', 'io-2', 'io-3')
  gates.release(...held)
  const busy = async () => (await instance.api.workers.list()).items.filter((one) => one.jobs_done > 0).length
  await until(async () => (await busy()) >= 2, { timeoutMs: 20_000, what: 'a second process to have worked' })
  const fewer = await instance.api.workers.scale({ group: 'io', processes: 1 })
  assert.deepEqual(fewer.names, ['io-1'])
  await assertDoneOnce(started, ids, 2)
  await until(async () => (await instance.api.workers.list()).items.length === 2, { timeoutMs: 20_000 })
  await watch.stop()
  assertAlwaysServed(watch, 'io')
  const spans = ids.flatMap((id) => historyOf(installation.layout, id).spans)
  const most = mostAtOnce(spans)
  assert.ok(most <= 6 && most >= 4, `${most} at a time`)
  await untilHealthy(instance)
  const { worker } = (await instance.api.status()).data.services
  assert.deepEqual(worker.workers?.map((one) => one.name).sort(), ['io-1', 'media-1'])
})

test('what cannot be restarted or scaled is refused with its reason, and the scheduler can be restarted', async (t) => {
  const { instance } = await start(t, {})
  const { restart, scale } = instance.api.workers
  await assert.rejects(restart('redis'), { code: 'wrong_state', message: /Redis is not restarted by hand/ })
  await assert.rejects(restart('io-9'), { code: 'not_found', message: /io-1, media-1, scheduler/ })
  await assert.rejects(scale({ group: 'none', processes: 2 }), { code: 'not_found', message: /io, media/ })
  await assert.rejects(scale({ group: 'io', processes: 0 }), { code: 'invalid_value' })
  await assert.rejects(scale({ group: 'io', processes: 33 }), { code: 'invalid_value' })
  const { pid } = (await instance.api.status()).data.services.scheduler
  await restart('scheduler')
  await untilGone([pid!], 20_000)
  const isBack = async () => {
    const { scheduler } = (await instance.api.status()).data.services
    return scheduler.alive && scheduler.pid !== pid
  }
  await until(isBack, { timeoutMs: 30_000, what: 'the scheduler to be back' })
  assert.equal((await scale({ group: 'io', processes: 1 })).message.startsWith('Nothing changes'), true)
})

test('the program stops as ever while one worker retires with a stage that has no steps, and others are on their way', async (t) => {
  const started = await start(t, { STOP_TIMEOUT_S: '12' })
  const { installation, instance, gates } = started
  gates.hold('p-1')
  const input = { folder: gates.folder, name: 'p', steps: 1, ms: 0, whole: true }
  const { id } = await instance.api.projects.create({ pipeline: 'paced', input })
  await gates.reached('p-1')
  const { pid } = await workerOf(instance, 'io-1')
  await instance.api.workers.restart('io-1')
  const replaced = async () => (await workerOf(instance, 'io-1')).pid !== pid
  await until(replaced, { timeoutMs: 30_000, what: 'the successor to serve' })
  await instance.api.workers.scale({ group: 'io', processes: 3 })
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(24_000), { code: 0, signal: null })
  watch.assertBelow(12_000)
  assert.deepEqual(await installation.processes(), [])
  const old = instance.facts('child_stopped').find((fact) => fact.name === 'io-1.old')
  assert.equal(old?.forced, false, 'its stage heard its signal, and gave its work back')
  gates.release('p-1')
  assert.deepEqual(
    readState(installation.layout, id).stages.map((s) => s.status),
    ['waiting'],
  )
  await installation.start()
  await untilStatus({ layout: installation.layout, id }, 'completed')
})
