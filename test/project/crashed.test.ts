/** What the end of a worker does to the stages that it was running: only what the journal says of it counts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBody } from '../../src/project/records.ts'
import { CREATED, claim, completed, crashed, failed, fold, queued } from '../helpers/records.ts'

const RUNNING = fold([CREATED, queued('a', 1), claim('a', 1, 'one')])
const EXIT = { worker: 'io-1', reason: 'exited with code 3', at: '2026-01-01T00:00:00.000Z' }
const CLEAN = { deaths: [], alone: false }

const suspicionOf = ({ internals }: ReturnType<typeof fold>) => {
  const { deaths, alone } = internals.a!
  return { deaths, alone }
}

test('a crash puts the stage back into the queue without spending a try, to run alone; only a charge is remembered', () => {
  for (const [charged, deaths] of [
    [true, [EXIT]],
    [false, []],
  ] as const) {
    const after = fold([crashed('a', 'one', charged)], RUNNING)
    const { status, retries, attempts, retry_at, error, message } = after.state.stages[0]!
    assert.deepEqual([status, retries, attempts, retry_at, error], ['queued', 0, 1, null, null])
    assert.match(message!, /io-1 exited with code 3/)
    assert.deepEqual(suspicionOf(after), { deaths, alone: true })
    assert.deepEqual(suspicionOf(fold([claim('a', 1, ['two', 'one'])], after)), { deaths, alone: true })
  }
})

test('a crash of a worker whose claim does not stand any more says nothing', () => {
  const taken = fold([claim('a', 1, ['two', 'one'])], RUNNING)
  assert.deepEqual(suspicionOf(fold([crashed('a', 'one', true)], taken)), CLEAN)
  const done = fold([completed('a', 'one'), crashed('a', 'one', true)], RUNNING)
  assert.deepEqual([done.state.stages[0]!.status, suspicionOf(done)], ['completed', CLEAN])
  const dead = fold([crashed('a', 'one', true), completed('a', 'one'), crashed('a', 'one', true)], RUNNING)
  assert.deepEqual(
    [dead.state.stages[0]!.status, suspicionOf(dead).deaths.length],
    ['queued', 1],
    'the dead write no more',
  )
})

test('a step more than at its deaths: they count as outlived, until it ends or begins anew', () => {
  const about = { stage: 'a', fence: 'two', name: 's', key: 'k' }
  const step: RecordBody = { type: 'step', ...about, result: { value: 1 }, files: [] }
  const dead = fold([crashed('a', 'one', true), claim('a', 1, ['two', 'one'])], RUNNING)
  const further = fold([step], dead)
  assert.deepEqual([suspicionOf(further), further.internals.a!.outlived], [{ deaths: [], alone: true }, 1])
  assert.equal(fold([failed('a', 'two', null)], further).internals.a!.outlived, 0)
  assert.equal(fold([{ type: 'cancelled' }], further).internals.a!.outlived, 0)
})

const ENDS: [words: string, records: RecordBody[]][] = [
  ['it completes', [completed('a', 'two')]],
  ['it fails', [failed('a', 'two', null)]],
  ['it is cancelled', [{ type: 'cancelled' }]],
  ['it is cancelled and resumed', [{ type: 'cancelled' }, { type: 'reopened' }]],
  ['it waits and is resumed', [{ type: 'released', stage: 'a', fence: 'two', reason: 'disk' }, { type: 'reopened' }]],
  ['it is done again', [completed('a', 'two'), { type: 'rerun', stage: 'a', and_following: false }]],
]

test('a stage has a clean record again when it ended, was cancelled, resumed or rerun, and not before', () => {
  const suspect = fold([crashed('a', 'one', true), claim('a', 1, ['two', 'one'])], RUNNING)
  for (const [words, records] of ENDS) assert.deepEqual(suspicionOf(fold(records, suspect)), CLEAN, words)
  for (const record of [
    failed('a', 'two', '2026-01-01T00:00:02.000Z'),
    { type: 'released', stage: 'a', fence: 'two', reason: 'interrupted' },
    { type: 'released', stage: 'a', fence: 'two', reason: 'recycle' },
    {
      type: 'deferred',
      stage: 'a',
      fence: 'two',
      until: '2026-01-01T00:00:02.000Z',
      error: { code: 'x', message: 'y' },
    },
  ] satisfies RecordBody[])
    assert.deepEqual(suspicionOf(fold([record], suspect)), { deaths: [EXIT], alone: true }, record.type)
})
