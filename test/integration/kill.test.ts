/** Processes are killed in the middle of a stage: the work goes on, and nothing that was finished is done twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { STAGES } from '../fixtures/pipelines/steps.ts'
import { hashesOf, readState } from '../helpers/soundness.ts'
import { assertVisits, killSupervisor, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilHealthy, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('SIGKILL of the supervisor in every stage: the next start goes on, finished work stays as it is', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, {
    held: ['write-2', 'film-2', 'check-2'],
  })
  let running = instance
  for (const stage of STAGES) {
    await gates.reached(`${stage}-2`)
    const before = readState(layout, id)
    const files = await hashesOf(layout, before)
    await killSupervisor(installation, running)
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
  const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  await gates.reached('film-2')
  const { pid } = await workerOf(instance, 'media-1')
  const watch = startWatch()
  process.kill(pid!, 'SIGKILL')
  await gates.reached('film-2', 2)
  t.diagnostic(`running again after ${Math.round(watch.ms())} ms`)
  watch.assertBelow(2_000)
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
  const { layout, gates, instance, id } = await startProject(t, { held: ['film-2'] })
  await gates.reached('film-2')
  const { pid } = (await instance.api.status()).data.services.redis
  process.kill(pid!, 'SIGKILL')
  await until(async () => (await instance.api.status()).data.services.redis.pid !== pid, { timeoutMs: 20_000 })
  gates.release('film-2')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 1, 1],
  )
  assertVisits(gates)
  await untilHealthy(instance)
})

test('all workers, the scheduler and Redis killed at one time: the project is completed all the same', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
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
