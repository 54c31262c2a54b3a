/** Calls to a paid model that are cut off, refused or cancelled: nothing is bought twice without need. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { answerOf, type PaidProject, startPaidProject } from '../helpers/paid-project.ts'
import { readState } from '../helpers/soundness.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import { assertTold, startAllKinds, startViewer, untilAll, type Viewer } from '../helpers/viewers.ts'
import { stageOf, untilState, untilStatus, workerOf } from '../helpers/wait.ts'

test('SIGKILL between intent, answer, file and commit: at most one call more than needed, none for what is done', async (t) => {
  const parts = ['done', 'cut', 'answered', 'filed', 'committed']
  const gates = ['answered-answered', 'filed-filed', 'committed-committed']
  const faults = [
    { kind: 'answer', text: answerOf('done') },
    { kind: 'stall', after: 10 },
  ] as const
  const project = await startPaidProject(t, { parts, held: gates, faults: [...faults] })
  const { layout, id } = project
  const viewers = startAllKinds(t, { url: project.instance.url, id })
  await project.asked('cut')
  await untilAll(viewers, (v) => (v.texts.get('write') ?? '').length > answerOf('done').length, {
    timeoutMs: 30_000,
    what: 'half an answer',
  })
  await killWriter(project)
  for (const gate of gates) {
    await project.gates.reached(gate)
    await killWriter(project)
    project.gates.release(gate)
  }
  const end = stageOf(await untilStatus({ layout, id, timeoutMs: 30_000 }, 'completed'), 'write')
  assert.deepEqual([end.attempts, end.retries], [5, 0], 'a crash spends no retry')
  const counts = ['outline', ...parts].map((part) => [part, project.calls(part).length])
  assert.deepEqual(Object.fromEntries(counts), { outline: 1, done: 1, cut: 2, answered: 1, filed: 1, committed: 1 })
  assert.ok(Object.values(project.server.counts()).every((count) => count <= 2))
  const keys = project.calls('cut').map(({ key }) => key)
  assert.equal(keys[0], keys[1], 'both calls have the same key')
  await assertTold(viewers, 'write', parts.map(answerOf).join(''))
})

test('a call that was cut off twice is not made a third time by itself; a rerun makes it', async (t) => {
  const stall = { kind: 'stall', after: 3 } as const
  const project = await startPaidProject(t, { parts: ['dear'], faults: [stall, stall] })
  const { layout, id, instance } = project
  for (const times of [1, 2]) {
    await project.asked('dear', times)
    await killWriter(project)
  }
  const failed = stageOf(await untilStatus({ layout, id }, 'failed'), 'write')
  assert.equal(failed.error?.code, 'ambiguous_call')
  assert.equal(project.calls('dear').length, 2)
  await instance.api.projects.rerun(id, 'write')
  await untilStatus({ layout, id }, 'completed')
  assert.equal(project.calls('dear').length, 3)
  assert.equal(project.calls('outline').length, 1)
})

test('cancel ends the call at once; finished steps are kept, and resume goes on behind them', async (t) => {
  const faults = [
    { kind: 'answer', text: answerOf('one') },
    { kind: 'stall', after: 10 },
  ] as const
  const project = await startPaidProject(t, { parts: ['one', 'two'], faults: [...faults] })
  const { layout, id, instance } = project
  const viewer = startViewer(t, { url: instance.url, id, via: 'ws', v: 1 })
  const call = await project.asked('two')
  await untilAll([viewer], (v) => (v.texts.get('write') ?? '').length > answerOf('one').length, {
    timeoutMs: 30_000,
    what: 'the beginning of the answer',
  })
  const watch = startWatch()
  await instance.api.projects.cancel(id)
  await until(() => call.left, { timeoutMs: 15_000, everyMs: 2, what: 'the server to be left' })
  t.diagnostic(`the call was ended ${Math.round(watch.ms())} ms after the cancel was sent`)
  watch.assertBelow(1_000)
  const cancelled = await untilStatus({ layout, id }, 'cancelled')
  assert.equal(stageOf(cancelled, 'outline').status, 'completed')
  assert.equal(stageOf(cancelled, 'write').status, 'cancelled')
  assert.deepEqual(
    stageOf(cancelled, 'write').steps.map(({ name, status }) => [name, status]),
    [['one', 'completed']],
  )
  await untilAll([viewer], (v) => v.isOver, { timeoutMs: 20_000, what: 'the viewer to hear of it' })
  assert.ok(viewer.said.includes('stage_update cancelled'))
  await instance.api.projects.resume(id)
  await untilStatus({ layout, id }, 'completed')
  const counts = ['outline', 'one', 'two'].map((part) => project.calls(part).length)
  assert.deepEqual(counts, [1, 1, 2])
})

test('429 with Retry-After is waited for without a retry; a used-up quota parks; a torn answer is replaced', async (t) => {
  const faults = [{ kind: 'rate_limit' }, { kind: 'insufficient_quota' }, { kind: 'close_early', after: 10 }] as const
  const project = await startPaidProject(t, { parts: ['words'], faults: [...faults] })
  const { layout, id, instance } = project
  const viewers = startAllKinds(t, { url: instance.url, id, check: (text, stage) => checkAnswer(text, stage) })
  await project.asked('words')
  const parked = stageOf(await untilStatus({ layout, id }, 'waiting'), 'write')
  assert.deepEqual([parked.status, parked.reason, parked.retries, parked.attempts], ['waiting', 'quota', 0, 2])
  const deferred = project.records().filter((record) => record.type === 'deferred')
  assert.deepEqual(
    deferred.map(({ error }) => error.details?.class),
    ['rate_limit'],
  )
  const pauseMs = Date.parse(deferred[0]!.until) - Date.parse(deferred[0]!.at)
  assert.ok(pauseMs > 1_000 && pauseMs < 3_000, `the wait was planned as ${pauseMs} ms`)
  // A status that another follows at once need not be told; this one lasts.
  const hasHeard = ({ said }: Viewer) => said.includes('stage_update waiting')
  await untilAll(viewers, hasHeard, { timeoutMs: 20_000, what: 'the viewers to hear that it waits' })
  await instance.api.projects.resume(id)
  await untilState({ layout, id }, (state) => stageOf(state, 'write').retries === 1)
  const end = stageOf(await untilStatus({ layout, id }, 'completed'), 'write')
  assert.deepEqual([end.retries, end.attempts], [1, 4])
  assert.equal(project.calls('words').length, 4)
  await assertTold(viewers, 'write', answerOf('words'))
  for (const { name, said } of viewers) {
    assert.ok(said.includes('error'), `${name} heard of the failure: ${said}`)
    assert.ok(said.includes('stage_update restarted'), `${name} heard that it begins anew: ${said}`)
  }
  assertAccounted(project)
})

/** The text of each stage is the beginning of its one good answer, also in the attempt whose answer was torn. */
function checkAnswer(text: string, stage: string): string | undefined {
  const whole = answerOf(stage === 'write' ? 'words' : stage)
  return whole.startsWith(text) ? undefined : 'not the beginning of the answer'
}

/** Every call is in the journal: its intent, its end, and what it cost. */
function assertAccounted({ records, server, layout, id }: PaidProject): void {
  const count = (type: string) => records().filter((record) => record.type === type).length
  assert.equal(count('intent'), server.calls.length)
  assert.equal(count('called'), server.calls.length)
  assert.equal(count('spent'), server.calls.length)
  const failures = records().flatMap((record) => (record.type === 'spent' ? [record.call.failure] : []))
  assert.deepEqual(failures, [null, 'rate_limit', 'quota_exhausted', 'transient', null])
  const { usage } = stageOf(readState(layout, id), 'write')
  assert.ok(usage.input_tokens >= 100 && usage.output_tokens > 0, JSON.stringify(usage))
}

/** SIGKILL of the worker that writes, and no return before it is replaced. */
async function killWriter({ instance }: PaidProject): Promise<void> {
  const { pid } = await workerOf(instance, 'io-1')
  process.kill(pid!, 'SIGKILL')
  const isReplaced = async () => {
    const worker = await workerOf(instance, 'io-1')
    return worker.pid !== pid && worker.ready
  }
  await until(isReplaced, { timeoutMs: 40_000, what: 'the worker to be replaced' })
}
