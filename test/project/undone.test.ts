/** A stage that has to run again begins with all of its tries, whatever it has been through before. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBody } from '../../src/project/records.ts'
import { CREATED, claim, completed, failed, fold, queued } from '../helpers/records.ts'

const SOON = '2026-01-01T00:00:02.000Z'
const FRESH = { retries: 0, waits: 0, retry_at: null, wait_until: null, error: null, message: null, text: null }
const own = (stage: string, n: number): RecordBody => {
  return { type: 'executed', stage, task_id: `p-${n}`, input: { value: 'own' }, request_id: null }
}
/** The stage is on its fourth try, after a provider has asked to wait. */
const tried = (stage: string, n: number): RecordBody[] => [
  claim(stage, n, `${stage}1`),
  ...[1, 2, 3].flatMap((i) => [
    failed(stage, `${stage}${i}`, SOON),
    claim(stage, n, [`${stage}${i + 1}`, `${stage}${i}`]),
  ]),
  { type: 'deferred', stage, fence: `${stage}4`, until: SOON, error: { code: 'rate_limit', message: 'busy' } },
]
const done = (stage: string, n: number): RecordBody[] => {
  return [...tried(stage, n), claim(stage, n, [`${stage}5`, `${stage}4`]), completed(stage, `${stage}5`)]
}

const partOf = (folded: ReturnType<typeof fold>, name: string) => {
  const { retries, waits, retry_at, wait_until, error, message, text } = folded.state.stages.find(
    (s) => s.name === name,
  )!
  return { retries, waits, retry_at, wait_until, error, message, text }
}

test('stages that follow a rerun have all their tries and the input of the project, as the stage itself', () => {
  const before = fold([CREATED, queued('a', 1), ...done('a', 1), own('b', 2), ...done('b', 2)])
  assert.deepEqual([before.state.stages[1]!.retries, before.state.stages[1]!.waits], [3, 1])
  const after = fold([{ type: 'rerun', stage: 'a', and_following: true }], before)
  for (const name of ['a', 'b']) assert.deepEqual(partOf(after, name), FRESH, name)
  assert.deepEqual(
    after.state.stages.map((s) => s.own_input),
    [null, null, null],
  )
})

test('so has one that waits behind the rerun', () => {
  const { code, message } = { code: 'rate_limit', message: 'busy' }
  const parked: RecordBody = { type: 'released', stage: 'b', fence: 'b5', reason: 'quota', error: { code, message } }
  const waits = [own('b', 2), ...tried('b', 2), claim('b', 2, ['b5', 'b4']), parked]
  const before = fold([CREATED, queued('a', 1), ...done('a', 1), ...waits])
  const after = fold([{ type: 'rerun', stage: 'a', and_following: true }], before)
  assert.deepEqual([partOf(after, 'b'), after.state.stages[1]!.own_input], [FRESH, null])
})

test('a stage whose file is lost has all its tries, and what made the file; so has what was on its way behind it', () => {
  const before = fold([CREATED, own('a', 1), ...done('a', 1), own('b', 2), ...tried('b', 2)])
  const after = fold([{ type: 'demoted', stage: 'a', missing: ['x'] }], before)
  for (const name of ['a', 'b']) assert.deepEqual(partOf(after, name), FRESH, name)
  assert.deepEqual(
    after.state.stages.map((s) => s.own_input),
    [{ value: 'own' }, { value: 'own' }, null],
  )
})
