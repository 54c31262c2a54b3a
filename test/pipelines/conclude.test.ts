/** Whatever stands in the way of an attempt's end, it is recorded, or the process hears that it has to end. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { recordEscape } from '../../src/pipelines/conclude.ts'
import type { Project } from '../../src/project/store.ts'
import { errnoError, refuseRemovals } from '../helpers/failing-files.ts'
import { recordedStage } from '../helpers/live.ts'
import { begin } from '../helpers/projects.ts'
import { perform, recording, stageOf, start } from './attempt.ts'

const STUCK_AT_ONCE = { softS: 0.001, hardS: -4.95 }

test('a stage into whose folder something still writes ends as any other', async (t) => {
  for (const code of ['ENOTEMPTY', 'EACCES']) {
    const project = await start(t)
    const { refused } = refuseRemovals(t, project.paths.work, code)
    const outcome = await perform(project, () => Promise.reject(new Error('the model said no')))
    assert.deepEqual([outcome.kind, stageOf(project).status], ['failed', 'failed'])
    assert.ok(refused.length > 0)
    assert.equal((await perform(await start(t), () => 1)).kind, 'completed')
  }
})

test('a stage that does not return costs its process, whether its folder can be removed or not', async (t) => {
  const project = await start(t)
  refuseRemovals(t, project.paths.work)
  assert.deepEqual(await perform(project, () => new Promise(() => {}), { limits: STUCK_AT_ONCE }), { kind: 'stuck' })
  assert.equal(stageOf(project).error?.code, 'time_limit')
})

test('a stage that does not return costs its process, whether that can be written down or not', async (t) => {
  for (const code of ['ENOSPC', 'EACCES']) {
    const project = await start(t)
    const run = () => {
      refuseRecords(project, code)
      return new Promise(() => {})
    }
    assert.deepEqual(await perform(project, run, { limits: STUCK_AT_ONCE }), { kind: 'stuck' })
  }
})

test('a stage that has returned is not stuck, however long a full disk keeps its record back', async (t) => {
  const project = await start(t)
  let accept = () => {}
  const run = () => {
    accept = refuseRecords(project, 'ENOSPC')
    throw new Error('the model said no')
  }
  let retries = 0
  const log = { ...silentLog, warn: () => void retries++ }
  const running = perform(project, run, { limits: { softS: 60, hardS: -4 }, log })
  await until(() => retries > 2, { timeoutMs: 20_000 }) // twice the time after which it would be taken for stuck
  accept()
  assert.equal((await running).kind, 'failed')
  assert.equal(stageOf(project).status, 'failed')
})

test('what a stage throws is written down and told without its secrets', async (t) => {
  const project = await start(t)
  const live = recordedStage()
  const clean = (text: string) => text.replaceAll('s3cret', '***')
  const run = () => Promise.reject(new AppError('rejected', 'no s3cret', { details: { url: '/?key=s3cret', n: 1 } }))
  const outcome = await perform(project, run, { clean, live })
  const error = { code: 'rejected', message: 'no ***', details: { url: '/?key=***', n: 1 } }
  assert.deepEqual(outcome, { kind: 'failed', error })
  assert.deepEqual(stageOf(project).error, error)
  const escaped = await start(t)
  await recordEscape({ ...recording(await begin(escaped, 'write')), clean }, new Error('no s3cret'))
  assert.equal(stageOf(escaped).error?.message, 'no ***')
  for (const { paths } of [project, escaped]) assert.doesNotMatch(readFileSync(paths.journal, 'utf8'), /s3cret/)
  assert.match(JSON.stringify(live.said), /no \*\*\*/)
})

test('what escapes around a stage fails it, and a bad disk only makes it wait', async (t) => {
  const project = await start(t)
  const outcome = await recordEscape(recording(await begin(project, 'write')), new TypeError('x is not a function'))
  assert.deepEqual(outcome, { kind: 'failed', error: { code: 'internal', message: 'x is not a function' } })
  assert.equal(stageOf(project).status, 'failed')
  const other = await start(t)
  const waiting = await recordEscape(recording(await begin(other, 'write')), errnoError('EIO'))
  assert.deepEqual(waiting, { kind: 'released', reason: 'disk' })
})

test('what escapes and cannot be recorded ends the process, unless somebody else has the stage', async (t) => {
  const project = await start(t)
  const attempt = await begin(project, 'write')
  const accept = refuseRecords(project, 'EACCES')
  assert.deepEqual(await recordEscape(recording(attempt), new Error('no')), { kind: 'stuck' })
  const stopping = { ...recording(attempt), drain: { reason: () => 'stop' as const, signal: AbortSignal.abort() } }
  await assert.rejects(recordEscape(stopping, new Error('no')), { code: 'EACCES' }, 'a stop ends it in an orderly way')
  accept()
  await project.append({ type: 'cancelled' })
  assert.deepEqual(await recordEscape(recording(attempt), new Error('no')), { kind: 'superseded' })
})

/** Returns how to accept them again. */
function refuseRecords(project: Project, code: string): () => void {
  const { append } = project
  project.append = () => Promise.reject(errnoError(code))
  return () => {
    project.append = append
  }
}
