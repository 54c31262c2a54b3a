/** Processes are killed in the middle of a stage: the work goes on, and nothing that was finished is done twice. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { PARTS, STAGES } from '../fixtures/pipelines/steps.ts'
import { createGates, type Gates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { hashesOf, readState } from '../helpers/soundness.ts'
import { stageOf, untilHealthy, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('SIGKILL of the supervisor in every stage: the next start goes on, finished work stays as it is', async (t) => {
  const { installation, gates, instance, id } = await startSteps(t, ['write-2', 'film-2', 'check-2'])
  const { layout } = installation
  let running = instance
  for (const stage of STAGES) {
    await gates.reached(`${stage}-2`)
    const before = readState(layout, id)
    const files = await hashesOf(layout, before)
    await killWithAll(installation, running)
    gates.release(`${stage}-2`)
    running = await installation.start()
    assert.deepEqual(
      running.facts('ready')[0]?.interrupted.map((i) => i.stage),
      [stage],
    )
    await untilState({ layout, id }, (state) => stageOf(state, stage).status === 'completed')
    const after = readState(layout, id)
    const wasDone = before.stages.filter((s) => s.status === 'completed')
    assert.equal(wasDone.length, STAGES.indexOf(stage))
    assert.deepEqual(after.stages.slice(0, wasDone.length), wasDone, 'finished stages have not changed')
    assert.deepEqual(
      stageOf(after, stage).steps[0],
      stageOf(before, stage).steps[0],
      'the finished step has not changed',
    )
    assert.deepEqual(
      { ...(await hashesOf(layout, after)), ...files },
      await hashesOf(layout, after),
      'nor has any file',
    )
  }
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [2, 2, 2],
  )
  assert.deepEqual(
    end.stages.map((s) => s.retries),
    [0, 0, 0],
    'a crash spends no retry',
  )
  assertVisits(gates, { 'write-2': 2, 'film-2': 2, 'check-2': 2 })
})

test('SIGKILL of a worker: its stage runs again within 2 s and repeats only the open step', async (t) => {
  const { installation, gates, instance, id } = await startSteps(t, ['film-2'])
  const { layout } = installation
  await gates.reached('film-2')
  const { pid } = await workerOf(instance, 'media-1')
  const killedMs = performance.now()
  process.kill(pid!, 'SIGKILL')
  await gates.reached('film-2', 2)
  const againMs = performance.now() - killedMs
  t.diagnostic(`running again after ${Math.round(againMs)} ms`)
  assert.ok(againMs < 2_000, `it took ${againMs} ms until the stage ran again`)
  gates.release('film-2')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 2, 1],
  )
  assertVisits(gates, { 'film-2': 2 })
  await untilHealthy(instance)
  assert.equal((await workerOf(instance, 'media-1')).restarts, 1)
})

test('SIGKILL of Redis in the middle of a stage: it comes back, no step is repeated, the stages behind follow', async (t) => {
  const { installation, gates, instance, id } = await startSteps(t, ['film-2'])
  const { layout } = installation
  await gates.reached('film-2')
  const { pid } = (await instance.api.status()).data.services.redis
  process.kill(pid!, 'SIGKILL')
  await until(async () => (await instance.api.status()).data.services.redis.pid !== pid, { timeoutMs: 5_000 })
  gates.release('film-2')
  const end = await untilStatus({ layout, id, timeoutMs: 10_000 }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 1, 1],
  )
  assertVisits(gates, {})
  await untilHealthy(instance)
})

test('all workers, the scheduler and Redis killed at one time: the project is completed all the same', async (t) => {
  const { installation, gates, instance, id } = await startSteps(t, ['write-2'])
  const { layout } = installation
  await gates.reached('write-2')
  const children = (await installation.processes()).map(({ pid }) => pid)
  assert.equal(children.length, 4)
  for (const pid of children) process.kill(pid, 'SIGKILL')
  gates.release('write-2')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [2, 1, 1],
  )
  await untilHealthy(instance)
})

type Started = { installation: Installation; gates: Gates; instance: Instance; id: string }

async function startSteps(t: TestContext, held: string[]): Promise<Started> {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  gates.hold(...held)
  const instance = await installation.start()
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  return { installation, gates, instance, id }
}

async function killWithAll(installation: Installation, instance: Instance): Promise<void> {
  const children = (await installation.processes()).map(({ pid }) => pid)
  assert.equal(children.length, 4, 'Redis, two workers and the scheduler run')
  process.kill(instance.supervisorPid, 'SIGKILL')
  await untilGone([instance.supervisorPid, ...children])
}

/** Every step was begun once, except those named. */
function assertVisits(gates: Gates, other: Record<string, number>): void {
  for (const stage of STAGES)
    for (const part of PARTS) {
      const name = `${stage}-${part}`
      assert.equal(gates.visits(name), other[name] ?? 1, `visits of ${name}`)
    }
}
