/** Stages that end their worker: the guilty one fails with the reasons, and nobody pays for it but its worker. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { openJournal } from '../../src/project/journal.ts'
import { type DataLayout, projectLayout } from '../../src/project/layout.ts'
import type { StageState } from '../../src/project/project.ts'
import type { WorkerExit } from '../../src/project/records.ts'
import type { Crash } from '../fixtures/pipelines/crash.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { readRecords } from '../helpers/journal.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { untilFailures, untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'

for (const [how, reason] of [
  ['reject', /^exited with code 1 \(Unhandled rejection: Error: nobody waits for this\)$/],
  ['exit', /^exited with code 3$/],
  ['hopeless', /^exited with code 78$/],
  ['missing', /^exited with code 127$/],
  ['leave', /^exited with code 0$/],
  ['kill', /^was ended by SIGKILL$/],
] as const)
  test(`a stage that ends its process once (${how}) is tried again at once, without a try being spent`, async (t) => {
    const { layout, gates, instance, id } = await startProject(t, { pipeline: 'crash', input: { crashes: 1, how } })
    const { stages } = await untilStatus({ layout, id }, 'completed')
    assert.deepEqual([stages[0]?.attempts, stages[0]?.retries, gates.visits('before')], [2, 0, 1])
    const [crash, ...more] = crashesOf(layout, id)
    const again = readRecords(layout, id).findLast((record) => record.type === 'claim')
    t.diagnostic(`runs again ${Date.parse(again!.at) - Date.parse(crash!.at)} ms after its crash was written down`)
    assert.equal(crash?.charged, true)
    assert.match(crash!.exit.reason, reason)
    assert.deepEqual([more, suspicionOf(layout, id, 'boom')], [[], CLEAN])
    await untilHealthy(instance)
  })

test('a stage that ends its process twice is poison; others are served, and resume gives it a new chance', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'crash', input: { crashes: 3 } })
  const { error, stages } = await untilStatus({ layout, id }, 'failed')
  assertPoison(stages[0]!, ['io-1 exited with code 1', 'io-1 exited with code 1'])
  assert.deepEqual([error, stages[0]?.attempts, stages[0]?.retries], [stages[0]?.error, 2, 0])
  const seen = (await instance.api.projects.get(id)).stages[0]?.error
  assert.match(seen!.message, /^boom ended its worker twice: io-1 exited with code 1 .*, then io-1 exited/)
  const charges = () => instance.facts('death_charged')
  await until(() => charges().length === 2, { timeoutMs: 20_000, what: 'the second death to be told' })
  assert.deepEqual(
    charges().map(({ deaths, failed }) => [deaths, failed]),
    [
      [1, false],
      [2, true],
    ],
  )
  await untilFailures(instance, 'llm', 1)
  await assertServes(t, instance, layout)
  await instance.api.projects.resume(id)
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    [end.stages[0]?.attempts, gates.visits('before')],
    [4, 1],
    'it crashed once more, and that is forgiven',
  )
})

test('of three stages at once the one that exits is found by its code; the others lose nothing', async (t) => {
  const { crowd, instance, layout } = await startCrowd(t, { how: 'exit' })
  await crowd.begin()
  const { stages } = await untilStatus({ layout, id: crowd.guilty }, 'failed')
  assertPoison(stages[0]!, ['io-1 exited with code 3', 'io-1 exited with code 3'])
  assert.equal(stages[0]?.attempts, 2)
  await crowd.assertInnocent()
  for (const id of crowd.innocent) assert.deepEqual(crashesOf(layout, id), [], 'nobody suspects it')
  await assertServes(t, instance, layout)
})

test('of three stages at once one exhausts the heap: all run alone next, and only that one fails', async (t) => {
  // With the watch for hangs off: on a busy machine it would see the process struggle, and in whose code.
  const start = { env: { NODE_OPTIONS: '--max-old-space-size=96', HANG_KILL_S: '0' } }
  const { crowd, instance, layout } = await startCrowd(t, { how: 'hoard', start })
  await crowd.begin()
  const failed = await untilStatus({ layout, id: crowd.guilty, timeoutMs: 60_000 }, 'failed')
  const reason = 'io-1 was ended by SIGABRT (out of memory)'
  assertPoison(failed.stages[0]!, [reason, reason])
  assert.equal(failed.stages[0]?.attempts, 3)
  await crowd.assertInnocent()
  for (const id of [crowd.guilty, ...crowd.innocent])
    assert.equal(crashesOf(layout, id)[0]?.charged, false, 'the first end was put down to nobody')
  assertAlone(layout, [crowd.guilty, ...crowd.innocent])
  assert.deepEqual(instance.facts('child_parked'), [])
  await assertServes(t, instance, layout)
})

test('of three stages at once the one in an endless loop is found; the others lose nothing', async (t) => {
  const { crowd, instance, layout } = await startCrowd(t, { how: 'spin', start: { env: { HANG_KILL_S: '6' } } })
  await crowd.begin()
  const { stages } = await untilStatus({ layout, id: crowd.guilty, timeoutMs: 60_000 }, 'failed')
  assertPoison(stages[0]!, ['io-1 gave no sign of life', 'io-1 gave no sign of life'])
  assert.match(stages[0]!.error!.message, /in spin .*crash\.ts:\d+/)
  await crowd.assertInnocent()
  for (const id of crowd.innocent) assert.deepEqual(crashesOf(layout, id), [], 'nobody suspects it')
  await assertServes(t, instance, layout)
})

test('a worker that is killed ten times from outside in one place: nobody is charged, and the stage completes', async (t) => {
  const start = { env: { WORKERS: 'llm,image,batch_processing,maintenance,health:2 video,ai_analysis:1' } }
  const { layout, gates, instance, id } = await startProject(t, { held: ['write-2'], start })
  for (let kill = 1; kill <= 10; kill++) {
    process.kill(ownerPidOf(layout, id, 'write'), 'SIGKILL')
    await gates.reached('write-2', kill + 1)
  }
  gates.release('write-2')
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([stages[0]?.attempts, stages[0]?.retries, gates.visits('write-1')], [11, 0, 1])
  const charged = crashesOf(layout, id).filter((crash) => crash.charged)
  assert.deepEqual([charged, instance.facts('child_parked')], [[], []])
  await untilHealthy(instance)
})

test('a first death is remembered when the supervisor is killed before the second', async (t) => {
  const plan = { pipeline: 'crash', held: ['boom-2'], input: { crashes: 99, how: 'exit' } }
  const { installation, layout, instance, id } = await startProject(t, plan)
  assert.equal(suspicionOf(layout, id, 'boom').deaths.length, 1)
  await killSupervisor(installation, instance)
  const again = await installation.start()
  const { stages } = await untilStatus({ layout, id }, 'failed')
  assertPoison(stages[0]!, ['io-1 exited with code 3', 'io-1 exited with code 3'])
  await untilHealthy(again)
})

/** Of the process in which a stage runs. */
/** By the claim that stands: the status may be older than the last kill. */
function ownerPidOf(layout: DataLayout, id: string, stage: string): number {
  return openJournal(projectLayout(layout, id).journal).read().internals[stage]!.owner!.pid
}

const CLEAN = { deaths: [], alone: false }

function suspicionOf(layout: DataLayout, id: string, stage: string) {
  const { deaths, alone } = openJournal(projectLayout(layout, id).journal).read().internals[stage]!
  return { deaths, alone }
}

function crashesOf(layout: DataLayout, id: string) {
  return readRecords(layout, id).filter((record) => record.type === 'crashed')
}

function assertPoison({ status, error }: StageState, exits: string[]): void {
  assert.deepEqual([status, error?.code], ['failed', 'poison'])
  const told = (error!.details!.exits as WorkerExit[]).map(({ worker, reason }) => `${worker} ${reason}`)
  assert.equal(told.length, exits.length)
  for (const [i, exit] of exits.entries()) {
    assert.ok(told[i]!.startsWith(exit), told[i])
    assert.ok(error!.message.includes(exit), error!.message)
  }
}

/** The worker's queues go on, and no process was given up. */
async function assertServes(t: TestContext, instance: Instance, layout: DataLayout): Promise<void> {
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
  await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(instance.facts('child_parked'), [])
  await untilHealthy(instance)
}

type CrowdPlan = { how: Crash; start?: { env: Record<string, string> } }

/** Three stages of three projects run in io-1: two that wait between two steps, and one that will end it. */
async function startCrowd(t: TestContext, { how, start }: CrowdPlan) {
  const installation = await createInstallation(t)
  const { layout } = installation
  const instance = await installation.start(start)
  const gates = createGates(t)
  gates.hold('boom-1')
  const others = [createGates(t), createGates(t)]
  for (const other of others) other.hold('write-2')
  const create = async (pipeline: string, { folder }: Gates, more = {}) =>
    (await instance.api.projects.create({ pipeline, input: { folder, ...more } })).id
  const innocent = await Promise.all(others.map((other) => create('steps', other)))
  const guilty = await create('crash', gates, { crashes: 99, how })
  await Promise.all([gates.reached('boom-1'), ...others.map((other) => other.reached('write-2'))])
  const { pid } = await workerOf(instance, 'io-1')
  const crowd = {
    guilty,
    innocent,
    /** The guilty goes ahead, and when the worker is dead the others may go on. */
    async begin() {
      gates.release('boom-1')
      await untilGone([pid!], 60_000)
      for (const other of others) other.release('write-2')
    },
    /** Both complete: from the step in which they were interrupted, without a try being spent. */
    async assertInnocent() {
      for (const [i, id] of innocent.entries()) {
        const { stages } = await untilStatus({ layout, id, timeoutMs: 60_000 }, 'completed')
        assert.deepEqual(
          stages.map(({ attempts, retries }) => [attempts, retries]),
          [
            [2, 0],
            [1, 0],
            [1, 0],
          ],
        )
        assert.deepEqual([others[i]!.visits('write-1'), others[i]!.visits('write-2')], [1, 2])
      }
    },
  }
  return { crowd, instance, layout }
}

/** After the crash that nobody was charged with, no two of the stages in question ran at one time. */
function assertAlone(layout: DataLayout, ids: string[]): void {
  const runs = ids.flatMap((id) => runsOf(layout, id)).sort((a, b) => a.fromMs - b.fromMs)
  assert.ok(runs.length >= ids.length)
  for (const [i, run] of runs.slice(1).entries())
    assert.ok(run.fromMs >= runs[i]!.toMs, `${JSON.stringify(runs[i])} and ${JSON.stringify(run)} overlap`)
}

/** From each claim after the first crash to the record that ended it, of the project's first stage. */
function runsOf(layout: DataLayout, id: string): { id: string; fromMs: number; toMs: number }[] {
  const [{ name } = { name: '' }] = readState(layout, id).stages
  const records = readRecords(layout, id).filter((record) => 'stage' in record && record.stage === name)
  const later = records.slice(records.findIndex((record) => record.type === 'crashed'))
  return later.flatMap((record) => {
    if (record.type !== 'claim') return []
    const end = later.find((r) => 'fence' in r && r.fence === record.fence && ENDS.has(r.type))
    return end ? [{ id, fromMs: Date.parse(record.at), toMs: Date.parse(end.at) }] : []
  })
}

const ENDS = new Set(['crashed', 'failed', 'completed'])
