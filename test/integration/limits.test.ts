/** Time limits, retries, cancel and RESUME=off, with the counts and due times that must survive a restart. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { projectLayout } from '../../src/project/layout.ts'
import { createGates } from '../helpers/gates.ts'
import type { Installation } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { stageOf, untilHealthy, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('at the soft limit the stage fails with code time_limit, is not retried, and resume keeps its steps', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, { pipeline: 'limits', held: ['late'] })
  const { layout } = installation
  const failed = await untilStatus({ layout, id }, 'failed')
  const stage = stageOf(failed, 'slow')
  assert.equal(stage.error?.code, 'time_limit')
  assert.deepEqual([stage.attempts, stage.retries, stage.retry_at], [1, 0, null])
  assert.deepEqual(
    stage.steps.map((s) => s.name),
    ['quick'],
  )
  assert.ok(stage.duration_ms! >= 1_000 && stage.duration_ms! < 6_000, `it lasted ${stage.duration_ms} ms`)
  gates.release('late')
  await instance.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([gates.visits('quick'), gates.visits('late')], [1, 2])
})

test('a stage that is deaf to its limits costs its process, which comes back; the stage fails with time_limit', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, {
    pipeline: 'limits',
    held: ['late'],
    input: { deaf: true },
  })
  const { layout } = installation
  await gates.reached('late')
  const { pid } = await workerOf(instance, 'io-1')
  const failed = await untilStatus({ layout, id }, 'failed')
  assert.equal(stageOf(failed, 'slow').error?.code, 'time_limit')
  await untilGone([pid!], 20_000)
  gates.release('late')
  const isReplaced = async () => (await workerOf(instance, 'io-1')).pid !== pid
  await until(isReplaced, { timeoutMs: 30_000, what: 'the worker to be replaced' })
  await untilHealthy(instance)
  await instance.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
})

test('503 is retried after 2, 5 and 10 s, then fails; counts and due times survive a SIGKILL of the supervisor', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, {
    pipeline: 'flaky',
    input: { failures: 3, status: 503 },
  })
  const { layout } = installation
  const hopeless = { folder: createGates(t).folder, failures: 9, status: 503 }
  const { id: lost } = await instance.api.projects.create({ pipeline: 'flaky', input: hopeless })
  await untilState({ layout, id }, (s) => stageOf(s, 'ask').retries === 3) // before the longest pause
  const before = stageOf(readState(layout, id), 'ask')
  await killSupervisor(installation, instance)
  await installation.start()
  const after = stageOf(readState(layout, id), 'ask')
  if (after.attempts === before.attempts) assert.equal(after.retry_at, before.retry_at) // else its time has come already
  const end = stageOf(await untilStatus({ layout, id, timeoutMs: 40_000 }, 'completed'), 'ask')
  assert.deepEqual([end.attempts, end.retries, end.result], [4, 3, { attempt: 4 }])
  assert.deepEqual([gates.visits('once'), gates.visits('ask')], [1, 4])
  const pauses = await pausesOf(installation, id)
  for (const [i, wantedMs] of [2_000, 5_000, 10_000].entries()) {
    const { plannedMs, realMs } = pauses[i]!
    assert.ok(Math.abs(plannedMs - wantedMs) < 1_000, `pause ${i + 1} was planned as ${plannedMs} ms`)
    assert.ok(realMs >= plannedMs && realMs < wantedMs + 8_000, `pause ${i + 1} lasted ${realMs} ms`)
  }
  const failed = stageOf(await untilStatus({ layout, id: lost }, 'failed'), 'ask')
  assert.deepEqual([failed.attempts, failed.retries, failed.error?.message], [4, 3, 'the provider is away'])
})

test('400 is never retried', async (t) => {
  const { installation, gates, id } = await startProject(t, { pipeline: 'flaky', input: { failures: 9, status: 400 } })
  const failed = await untilStatus({ layout: installation.layout, id }, 'failed')
  assert.deepEqual([stageOf(failed, 'ask').attempts, stageOf(failed, 'ask').retries], [1, 0])
  assert.equal(stageOf(failed, 'ask').error?.message, 'the provider is away')
  assert.equal(gates.visits('ask'), 1)
})

test('cancel ends the program of a running stage within 2 s; resume does the stage again', async (t) => {
  const { installation, instance, gates, id } = await startProject(t, { pipeline: 'subprocess' })
  const { layout } = installation
  const probe = async () => (await installation.processes()).find((p) => p.command === 'sleep')?.pid
  const sleeping = await until(probe, { timeoutMs: 20_000, what: 'the program of the stage' })
  const { state } = await cancelAndWait(() => instance.api.projects.cancel(id), sleeping)
  assert.equal(state.status, 'cancelled')
  assert.equal((await instance.api.projects.cancel(id)).status, 'cancelled', 'a second cancel changes nothing')
  await instance.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([gates.visits('before'), gates.visits('program')], [1, 2])
  await assert.rejects(instance.api.projects.cancel(id), { code: 'wrong_state' })
})

test('a queued project that is cancelled never begins', async (t) => {
  const { installation, instance, gates, id } = await startProject(t, { pipeline: 'subprocess' })
  await gates.reached('program') // the video queue does one at a time
  const waiting = await instance.api.projects.create({ pipeline: 'busy', input: { folder: gates.folder, ms: 0 } })
  assert.equal((await instance.api.projects.cancel(waiting.id)).status, 'cancelled')
  await instance.api.projects.cancel(id)
  const last = await instance.api.projects.create({ pipeline: 'busy', input: { folder: gates.folder, ms: 0 } })
  await untilStatus({ layout: installation.layout, id: last.id }, 'completed')
  assert.equal(gates.visits('loop'), 1)
  assert.equal(readState(installation.layout, waiting.id).stages[0]?.attempts, 0)
})

test('RESUME=off: what a SIGKILL interrupted waits until somebody says resume', async (t) => {
  const { installation, instance, gates, id } = await startProject(t, { pipeline: 'steps', held: ['write-2'] })
  const { layout } = installation
  await gates.reached('write-2')
  await killSupervisor(installation, instance)
  gates.release('write-2')
  const again = await installation.start({ env: { RESUME: 'off' } })
  assert.deepEqual(
    again.facts('ready')[0]!.interrupted.map((i) => i.id),
    [id],
  )
  const state = readState(layout, id)
  assert.deepEqual([state.status, state.reason], ['waiting', 'interrupted'])
  assert.equal((await again.api.status()).data.projects.interrupted, 1)
  const other = await again.api.projects.create({
    pipeline: 'flaky',
    input: { folder: gates.folder, failures: 0, status: 0 },
  })
  await untilStatus({ layout, id: other.id }, 'completed')
  assert.equal(gates.visits('write-2'), 1, 'other work is done meanwhile, this is not')
  await again.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
})

test('RESUME=off: what a SIGKILL left in the queue does not begin either', async (t) => {
  const start = { env: { LLM_CONCURRENCY: '1' } }
  const { installation, instance, gates, id } = await startProject(t, { pipeline: 'steps', held: ['write-2'], start })
  const { layout } = installation
  const queued = createGates(t)
  const { id: second } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: queued.folder } })
  await untilStatus({ layout, id: second }, 'queued')
  await killSupervisor(installation, instance)
  gates.release('write-2')
  const again = await installation.start({ env: { ...start.env, RESUME: 'off' } })
  assert.deepEqual(
    again
      .facts('ready')[0]!
      .interrupted.map((i) => i.id)
      .toSorted(),
    [id, second].toSorted(),
  )
  const { id: other } = await again.api.projects.create({ pipeline: 'steps', input: { folder: createGates(t).folder } })
  await untilStatus({ layout, id: other }, 'completed')
  const { status, reason, stages } = readState(layout, second)
  assert.deepEqual([status, reason, stages[0]!.attempts, queued.visits('write-1')], ['waiting', 'interrupted', 0, 0])
  await again.api.projects.resume(second)
  await untilStatus({ layout, id: second }, 'completed')
})

async function cancelAndWait<T>(cancel: () => Promise<T>, pid: number): Promise<{ state: T }> {
  const watch = startWatch()
  const state = await cancel()
  await untilGone([pid])
  watch.assertBelow(2_000)
  return { state }
}

/** From the journal: how long after each failure the next try was to begin, and did begin. */
async function pausesOf({ layout }: Installation, id: string): Promise<{ plannedMs: number; realMs: number }[]> {
  const lines = (await readFile(projectLayout(layout, id).journal, 'utf8')).split('\n').filter((line) => line !== '')
  const records = lines.map((line) => JSON.parse(line) as { type: string; at: string; retry_at?: string | null })
  return records.flatMap(({ type, at, retry_at }, i) => {
    const next = records.slice(i).find((r) => r.type === 'claim')
    if (type !== 'failed' || !retry_at || !next) return []
    return [{ plannedMs: Date.parse(retry_at) - Date.parse(at), realMs: Date.parse(next.at) - Date.parse(at) }]
  })
}
