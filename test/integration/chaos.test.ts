/** Many faults while several projects run: everything ends completed, and every step's result was written down once. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { projectLayout } from '../../src/project/layout.ts'
import { decodeRecord } from '../../src/project/records.ts'
import { PARTS, STAGES } from '../fixtures/pipelines/steps.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Installation } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { untilHealthy, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('every kind of process is killed in turn while six projects run, and the supervisor between two rounds', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const gates = createGates(t)
  let instance = await installation.start()
  const make = () => instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  const ids: string[] = []
  for (const name of [
    'io-1',
    'redis-server',
    'media-1',
    'scheduler',
    'supervisor',
    'media-1',
    'redis-server',
    'io-1',
  ]) {
    for (const gate of ['write-2', 'film-2']) gates.hold(gate)
    if (ids.length < 6) ids.push((await make()).id)
    const pid = await pidOf(installation, instance, name)
    assert.ok(pid, `${name} runs`)
    const watch = startWatch()
    process.kill(pid, 'SIGKILL')
    await untilGone([pid])
    for (const gate of ['write-2', 'film-2']) gates.release(gate)
    if (name === 'supervisor') {
      await until(async () => (await installation.processes()).length === 0, { timeoutMs: 10_000 })
      watch.assertBelow(3_000)
      instance = await installation.start()
    }
    const isBack = async () => (await pidOf(installation, instance, name)) !== pid
    await until(isBack, { timeoutMs: 30_000, what: `a new ${name}` })
    await untilHealthy(instance)
  }
  assert.equal(ids.length, 6)
  for (const id of ids) {
    // Well before a lock ends (30 s): what a dead worker had fetched is found by its pid, whatever it had time to say.
    const { stages } = await untilStatus({ layout, id, timeoutMs: 20_000 }, 'completed')
    assert.deepEqual(
      stages.map((s) => s.retries),
      [0, 0, 0],
      'a kill spends no retry',
    )
    assert.deepEqual(countSteps(projectLayout(layout, id).journal), STAGES.length * PARTS.length)
  }
})

test('a worker whose main thread hangs is found, ended and replaced, and its stage runs again', async (t) => {
  const start = { env: { HANG_KILL_S: '5' } }
  const { layout, gates, instance, id } = await startProject(t, { pipeline: 'busy', input: { ms: 60_000 }, start })
  await gates.reached('loop')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.equal(end.stages[0]?.attempts, 2)
  assert.deepEqual(
    instance.facts('child_hung').map((f) => f.name),
    ['media-1'],
  )
  await untilHealthy(instance)
  assert.equal((await workerOf(instance, 'media-1')).restarts, 1)
})

test('a stopped scheduler and a stopped worker (SIGSTOP) are replaced as well', async (t) => {
  const { layout, gates, instance, id } = await startProject(t, {
    held: ['write-2'],
    start: { env: { HANG_KILL_S: '5' } },
  })
  await gates.reached('write-2')
  const { worker, scheduler } = (await instance.api.status()).data.services
  const pids = [worker.workers!.find((w) => w.name === 'io-1')!.pid!, scheduler.pid!]
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await untilGone(pids, 20_000)
  gates.release('write-2')
  await untilState({ layout, id }, (s) => s.status === 'completed' && s.stages[0]?.attempts === 2)
  await untilHealthy(instance)
})

async function pidOf(installation: Installation, instance: Awaited<ReturnType<Installation['start']>>, name: string) {
  if (name === 'supervisor') return instance.supervisorPid
  if (name === 'redis-server') return (await installation.processes()).find((p) => p.command === name)?.pid
  if (name === 'scheduler') return (await instance.api.status()).data.services.scheduler.pid
  return (await workerOf(instance, name)).pid
}

/** Distinct and all: a step whose result is in the journal is never done again. */
function countSteps(journal: string): number {
  const lines = readFileSync(journal, 'utf8').split('\n')
  const steps = lines.flatMap((line) => {
    const record = decodeRecord(line)
    return record?.type === 'step' ? [`${record.stage} ${record.name}`] : []
  })
  assert.equal(new Set(steps).size, steps.length)
  return steps.length
}
