/** As the first process of a container, where the kernel treats signals and orphans otherwise. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { statOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { readState } from '../helpers/soundness.ts'
import { type ProjectPlan, startProject } from '../helpers/started-project.ts'
import { stageOf, untilHealthy, untilStatus } from '../helpers/wait.ts'

/** `pid`: of the supervisor as seen from outside, where it is not 1. */
async function startAsInit(t: TestContext, plan: ProjectPlan) {
  const project = await startProject(t, { ...plan, start: { via: 'init' } })
  const { instance } = project
  assert.equal(instance.supervisorPid, 1, 'inside it is the first process')
  return { ...project, pid: childOf(instance.pid) }
}

const skip = canUnshare() ? false : 'a PID namespace needs root rights'

test('PID 1: SIGTERM drains and stops cleanly, and at the start it says what is missing', { skip }, async (t) => {
  const { installation, layout, gates, instance, id, pid } = await startAsInit(t, { held: ['write-2'] })
  assert.equal(instance.facts('ready')[0]?.withoutInit, true)
  process.kill(pid, 'SIGTERM')
  await untilStopping(instance)
  gates.release('write-2')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
  assert.deepEqual(await installation.processes(), [])
  const stage = stageOf(readState(layout, id), 'write')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 2])
})

test('PID 1: the zombies that orphans become there keep nothing from working or stopping', { skip }, async (t) => {
  const { installation, layout, instance, id, pid } = await startAsInit(t, { pipeline: 'subprocess' })
  const sleeping = await until(async () => (await installation.processes()).find((p) => p.command === 'sleep')?.pid, {
    timeoutMs: 20_000,
    what: 'the program of the stage to run',
  })
  const worker = statOf(sleeping)!.ppid
  process.kill(worker, 'SIGKILL')
  const isLeft = () => statOf(sleeping)?.state === 'Z' && statOf(sleeping)?.ppid === pid
  await until(isLeft, { timeoutMs: 15_000, what: 'an orphan that nobody waits for' })
  await untilStatus({ layout, id }, 'completed')
  await untilHealthy(instance) // a worker works before it has said that it is ready
  process.kill(pid, 'SIGTERM')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
})

test('PID 1: a signal during the boot ends it', { skip }, async (t) => {
  const installation = await createInstallation(t)
  const program = installation.launch({ via: 'init' })
  await until(() => program.facts('child_spawned').length > 0, { timeoutMs: 20_000, everyMs: 1 })
  process.kill(childOf(program.pid), 'SIGTERM')
  assert.deepEqual(await program.ended(15_000), { code: 0, signal: null })
  assert.deepEqual(await installation.processes(), [])
})

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
}

function canUnshare(): boolean {
  return spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true'], { timeout: 5_000 }).status === 0
}

async function untilStopping(instance: Instance): Promise<void> {
  await until(() => instance.facts('stopping').length > 0, {
    timeoutMs: 15_000,
    everyMs: 10,
    what: 'the stop to begin',
  })
}
