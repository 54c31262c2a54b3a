/** A stage past its hard limit loses its programs, then its worker; the stages beside it lose nothing. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { Way } from '../fixtures/pipelines/overdue.ts'
import { createGates } from '../helpers/gates.ts'
import type { Installation, Instance, StartOptions } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { assertVisits, type StartedProject, startProject } from '../helpers/started-project.ts'
import { stageOf, untilFailures, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

const HARD_LIMIT_MS = 2_000
const GRACE_MS = 5_000

test('a program of a stage past its hard limit is killed, whichever way it was started, and its end counts for nothing', async (t) => {
  for (const way of ['exec', 'spawn', 'shell', 'detached'] satisfies Way[])
    await t.test(way, async (t) => {
      const innocent = await startInnocent(t)
      const { instance, layout, installation } = innocent
      const { gates, id } = await startOverdue(t, instance, way)
      const pids = await untilSleeping(installation)
      const { pid } = await workerOf(instance, 'io-1')
      const failed = stageOf(await untilStatus({ layout, id }, 'failed'), 'wait')
      await untilGone(pids)
      assert.equal(failed.error?.code, 'time_limit')
      assert.deepEqual([failed.attempts, failed.retries, failed.result], [1, 0, null])
      assert.deepEqual(
        failed.steps.map((s) => s.name),
        ['before'],
        'the step whose program was killed is not remembered',
      )
      const ms = failed.duration_ms!
      assert.ok(ms >= HARD_LIMIT_MS && ms < HARD_LIMIT_MS + GRACE_MS, `it lasted ${ms} ms`)
      assert.deepEqual((await installation.processes()).filter(isSleep), [])
      innocent.gates.release('write-2')
      const { stages } = await untilStatus({ layout, id: innocent.id }, 'completed')
      assert.deepEqual(
        stages.map((s) => [s.attempts, s.retries]),
        [
          [1, 0],
          [1, 0],
          [1, 0],
        ],
      )
      assert.equal((await workerOf(instance, 'io-1')).pid, pid, 'its worker lives on')
      await instance.api.projects.resume(id)
      await untilStatus({ layout, id }, 'completed')
      assert.deepEqual([gates.visits('before'), gates.visits('program')], [1, 2])
    })
})

test('a stage that still does not return costs its worker 5 s later; the stage beside it goes on from its last step', async (t) => {
  const innocent = await startInnocent(t)
  const { instance, layout } = innocent
  const { id } = await startOverdue(t, instance, 'never')
  const pids = await untilSleeping(innocent.installation)
  const { pid } = await workerOf(instance, 'io-1')
  await untilGone(pids)
  assert.equal(readState(layout, id).status, 'running', 'without its program it has another five seconds')
  await untilGone([pid!], GRACE_MS + 20_000)
  const failed = stageOf(readState(layout, id), 'wait')
  assert.deepEqual([failed.status, failed.error?.code, failed.retries], ['failed', 'time_limit', 0])
  const ms = failed.duration_ms!
  assert.ok(ms >= HARD_LIMIT_MS + GRACE_MS && ms < HARD_LIMIT_MS + 2 * GRACE_MS, `it was given up after ${ms} ms`)
  await untilState({ layout, id: innocent.id }, (s) => stageOf(s, 'write').attempts === 2)
  innocent.gates.release('write-2')
  const { stages } = await untilStatus({ layout, id: innocent.id }, 'completed')
  assert.deepEqual(
    stages.map((s) => [s.attempts, s.retries]),
    [
      [2, 0],
      [1, 0],
      [1, 0],
    ],
  )
  assertVisits(innocent.gates, { 'write-2': 2 })
  assert.deepEqual(
    instance.facts('child_exited').map((f) => [f.name, f.code]),
    [['io-1', 75]],
  )
  await untilFailures(instance, 'llm', 1)
})

test('a stage that blocks the loop of its worker is ended by the supervisor, with no watch for hangs; the stage beside it goes on', async (t) => {
  const start = { env: { HANG_KILL_S: '0' } }
  const innocent = await startInnocent(t, start)
  const { instance, layout } = innocent
  const { pid } = await workerOf(instance, 'io-1')
  const { gates, id } = await startOverdue(t, instance, 'blocked')
  await untilGone([pid!], HARD_LIMIT_MS + GRACE_MS + 30_000)
  const { status, error, retries, attempts, steps, duration_ms } = stageOf(readState(layout, id), 'wait')
  assert.deepEqual([status, error?.code, retries, attempts], ['failed', 'time_limit', 0, 1])
  assert.match(
    error!.message,
    /^wait was still running 5 s after its time limit of 2 s; it was in blockForEver \(test\/fixtures\/pipelines\/overdue\.ts:\d+\)$/,
  )
  assert.ok(duration_ms! >= HARD_LIMIT_MS + GRACE_MS, `it was ended after ${duration_ms} ms`)
  assert.deepEqual(
    steps.map((step) => step.name),
    ['before'],
    'what it had done is kept',
  )
  innocent.gates.release('write-2')
  const { stages } = await untilStatus({ layout, id: innocent.id }, 'completed')
  assert.deepEqual([stages[0]?.attempts, stages[0]?.retries], [2, 0])
  assertVisits(innocent.gates, { 'write-2': 2 })
  const [exit, ...others] = instance.facts('child_exited')
  assert.deepEqual([exit?.name, others.length], ['io-1', 0])
  assert.ok(
    exit!.reason.startsWith(`held wait of ${id}, which was still running 5 s after its time limit of 2 s`),
    exit!.reason,
  )
  assert.deepEqual(instance.facts('death_charged'), [])
  await untilFailures(instance, 'llm', 1)
  await instance.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([gates.visits('before'), gates.visits('program')], [1, 2])
})

/** A project of three steps that is held in its second one. */
function startInnocent(t: TestContext, start?: StartOptions): Promise<StartedProject> {
  return startProject(t, { held: ['write-2'], start })
}

/** In the same worker. It comes last, for its time runs from its beginning. */
async function startOverdue(t: TestContext, { api }: Instance, way: Way) {
  const gates = createGates(t)
  const { id } = await api.projects.create({ pipeline: 'overdue', input: { folder: gates.folder, way } })
  return { gates, id }
}

const isSleep = ({ command }: { command: string }) => command === 'sleep'

async function untilSleeping(installation: Installation): Promise<number[]> {
  const probe = async () => {
    const found = (await installation.processes()).filter(isSleep)
    return found.length > 0 && found.map(({ pid }) => pid)
  }
  return until(probe, { timeoutMs: 20_000, everyMs: 10, what: 'the program of the stage' })
}
