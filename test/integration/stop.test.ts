/** How a stop goes on: once, twice or three times told, with little time, with much work; nothing is lost or left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { StageState } from '../../src/project/project.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { forcedIn, killSupervisor, startProject } from '../helpers/started-project.ts'
import { isBusy, type Stopwatch, startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilState, untilStatus } from '../helpers/wait.ts'

const CTRL_C = '\x03'
/** What comes sooner counts as the same press. */
const NEXT_PRESS_MS = 550

test('a second Ctrl+C: over within 2 s, exit 130, the stage and its program are ended and resume', async (t) => {
  const { installation, instance, id } = await startProject(t, { pipeline: 'subprocess', start: { via: 'pty' } })
  const { layout } = installation
  const sleeping = await untilSleeping(installation)
  instance.type(CTRL_C)
  await untilStopping(instance)
  const watch = await pressAgain(() => instance.type(CTRL_C))
  assert.deepEqual(await instance.ended(20_000), { code: 130, signal: null })
  watch.assertBelow(2_000)
  await untilGone([sleeping])
  assert.deepEqual(await installation.processes(), [])
  const stage = stageOf(readState(layout, id), 'wait')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

test('after 18 s a stop tells what still runs to end, after 23 s it ends the deaf; exit 0', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  const deaf = createGates(t)
  deaf.hold('film-2')
  const input = { folder: deaf.folder, deaf: true }
  const other = await instance.api.projects.create({ pipeline: 'steps', input })
  await deaf.reached('film-2')
  const watch = startWatch()
  instance.signal('SIGTERM')
  await untilState({ layout, id, timeoutMs: 40_000 }, (state) => stageOf(state, 'write').status !== 'running')
  assert.ok(watch.ms() > 17_900, `it was told after ${watch.ms()} ms`)
  watch.assertBelow(19_000)
  assert.deepEqual(await instance.ended(30_000), { code: 0, signal: null })
  watch.assertBelow(28_000)
  for (const [project, name] of [
    [id, 'write'],
    [other.id, 'film'],
  ] as const) {
    const stage = stageOf(readState(layout, project), name)
    assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  }
  gates.release('write-2')
  deaf.release('film-2')
  await installation.start()
  await Promise.all([id, other.id].map((one) => untilStatus({ layout, id: one }, 'completed')))
})

test('with STOP_TIMEOUT_S=6 a deaf stage is ended in time, and Redis still saves', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, {
    held: ['film-2'],
    input: { deaf: true },
    start: { env: { STOP_TIMEOUT_S: '6' } },
  })
  assert.deepEqual(instance.facts('ready')[0]?.outerLimit, { by: 'setting', seconds: 6 })
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  watch.assertBelow(6_000)
  const { 'media-1': ofDeaf, ...others } = forcedIn(instance)
  assert.deepEqual(others, { scheduler: false, 'io-1': false, redis: false })
  // The process of the deaf stage ends by itself just before it would be killed; on a busy machine it may be killed.
  assert.ok(ofDeaf === false || watch.lagMs() > 200, `killed, although the machine waited only ${watch.lagMs()} ms`)
  const { waited } = instance.facts('stopped')[0]!
  assert.deepEqual([waited?.process, waited?.job?.stage], ['media-1', 'film'])
  const stage = stageOf(readState(layout, id), 'film')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  gates.release('film-2')
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

test('with ten running stages that checkpoint it is over within 2 s, and no step is done twice', async (t) => {
  const installation = await createInstallation(t, { env: { LLM_CONCURRENCY: '10' } })
  const { layout } = installation
  const gates = createGates(t)
  const instance = await installation.start()
  const names = Array.from({ length: 10 }, (_, i) => `project-${i}`)
  const inMiddle = names.map((name) => `${name}-3`) // held, so that all are still at it when the last one is
  gates.hold(...inMiddle)
  const create = (name: string) =>
    instance.api.projects.create({
      pipeline: 'ticks',
      input: { folder: gates.folder, name, steps: 40, paceMs: 100 },
    })
  const projects = await Promise.all(names.map(create))
  await Promise.all(inMiddle.map((gate) => gates.reached(gate)))
  gates.release(...inMiddle)
  const watch = startWatch()
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  watch.assertBelow(2_000)
  for (const { id } of projects) {
    const stage = stageOf(readState(layout, id), 'tick')
    assert.deepEqual([stage.status, stage.reason], ['waiting', 'interrupted'])
    assert.ok(stage.steps.length >= 2 && stage.steps.length < 40, `${stage.steps.length} steps`)
  }
  await installation.start()
  await Promise.all(projects.map(({ id }) => untilStatus({ layout, id }, 'completed')))
  for (const name of names)
    for (let n = 1; n <= 40; n++) assert.equal(gates.visits(`${name}-${n}`), 1, `step ${n} of ${name}`)
})

test('no new stage begins during a drain: the one that waits is not even tried, and runs at the next start', async (t) => {
  const plan = { held: ['write-3'], start: { env: { LLM_CONCURRENCY: '1' } } }
  const { installation, layout, gates, instance, id } = await startProject(t, plan)
  const input = { folder: gates.folder, name: 'next', steps: 1, paceMs: 1 }
  const { id: waiting } = await instance.api.projects.create({ pipeline: 'ticks', input })
  await until(async () => ((await instance.api.status()).data.queues.llm?.waiting ?? 0) > 0, { timeoutMs: 20_000 })
  instance.signal('SIGTERM')
  await untilStopping(instance)
  gates.release('write-3')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.equal(stageOf(readState(layout, id), 'write').status, 'completed', 'the running stage was let end')
  assert.equal(stageOf(readState(layout, waiting), 'tick').attempts, 0)
  assert.equal(gates.visits('next-1'), 0)
  await installation.start()
  await untilStatus({ layout, id: waiting }, 'completed')
})

test('the order of a stop: scheduler and workers, then the API, Redis last', async (t) => {
  const { instance } = await startProject(t)
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  const ends = instance.output().matchAll(/"type":"(?:child|component)_stopped","name":"([^"]+)"/g)
  const names = [...ends].map(([, name]) => name)
  assert.deepEqual(
    [names.slice(0, 3).sort(), names.slice(3)],
    [
      ['io-1', 'media-1', 'scheduler'],
      ['api', 'redis'],
    ],
  )
  const told = instance.facts('child_stopping').map(({ name }) => name)
  assert.equal(told.at(-1), 'redis', 'it is told to stop only when it is the last')
})

test('SIGQUIT kills all at once, and what was killed is written down as interrupted', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, {
    pipeline: 'busy',
    input: { ms: 60_000 },
  })
  await gates.reached('loop')
  const watch = startWatch()
  instance.signal('SIGQUIT')
  assert.deepEqual(await instance.ended(20_000), { code: 131, signal: null })
  watch.assertBelow(1_000)
  assert.deepEqual(await installation.processes(), [])
  assertWrittenDown(stageOf(readState(layout, id), 'loop'))
})

test('five SIGTERMs at once are one', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  for (let i = 0; i < 5; i++) instance.signal('SIGTERM')
  await untilStopping(instance)
  gates.release('write-2')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.equal(stageOf(readState(installation.layout, id), 'write').steps.length, 2, 'the running step ended by itself')
})

test('a third signal kills what does not listen, at once', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, {
    pipeline: 'busy',
    input: { ms: 60_000 },
  })
  await gates.reached('loop')
  instance.signal('SIGTERM')
  await untilStopping(instance)
  await pressAgain(() => instance.signal('SIGTERM'))
  await until(() => instance.facts('stop_escalated').length > 0, { timeoutMs: 15_000, everyMs: 10 })
  const watch = await pressAgain(() => instance.signal('SIGTERM'))
  assert.deepEqual(await instance.ended(20_000), { code: 143, signal: null })
  watch.assertBelow(1_000)
  assert.deepEqual(await installation.processes(), [])
  assertWrittenDown(stageOf(readState(layout, id), 'loop'))
})

for (const pipeline of ['subprocess', 'busy'])
  test(`SIGKILL of the supervisor: 3 s later nothing is left, a ${pipeline} worker included`, async (t) => {
    const { installation, gates, instance, id } = await startProject(t, { pipeline, input: { ms: 60_000 } })
    if (pipeline === 'subprocess') await untilSleeping(installation)
    else await gates.reached('loop')
    await killSupervisor(installation, instance)
    await installation.start()
    await untilStatus({ layout: installation.layout, id }, 'completed')
  })

/** What was killed is, too; on a busy machine there may be no time left for it, and the next start finds the same. */
function assertWrittenDown({ status, reason }: StageState): void {
  if (status !== 'running' || !isBusy()) assert.deepEqual([status, reason], ['waiting', 'interrupted'])
}

async function untilStopping(instance: Instance): Promise<void> {
  await until(() => instance.facts('stopping').length > 0, {
    timeoutMs: 15_000,
    everyMs: 10,
    what: 'the stop to begin',
  })
}

/** Presses once the last press is long enough ago to count; gives the time from then on. */
async function pressAgain(press: () => void): Promise<Stopwatch> {
  const lastMs = performance.now()
  await until(() => performance.now() - lastMs > NEXT_PRESS_MS, { timeoutMs: 5_000, everyMs: 10 })
  press()
  return startWatch()
}

async function untilSleeping(installation: Installation): Promise<number> {
  const probe = async () => (await installation.processes()).find((p) => p.command === 'sleep')?.pid
  return until(probe, { timeoutMs: 20_000, what: 'the program of the stage to run' })
}
