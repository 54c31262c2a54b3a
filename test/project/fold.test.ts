import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBody } from '../../src/project/records.ts'
import { CREATED, claim, completed, failed, fold, queued, statuses } from '../helpers/records.ts'

test('a project runs through its stages', () => {
  const done = (['a', 'b', 'c'] as const).flatMap((s, i) => [
    queued(s, i + 1),
    claim(s, i + 1, `f${s}`),
    completed(s, `f${s}`),
  ])
  const folded = fold([CREATED, ...done])
  assert.equal(folded.state.status, 'completed')
  assert.equal(folded.state.progress, 100)
  assert.equal(folded.state.revision, 10)
  assert.deepEqual(
    folded.state.stages.map((s) => s.result),
    ['fa', 'fb', 'fc'],
  )
})

test('only the first of two claims on the same fence counts, and records of the other are ignored', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'one'), claim('a', 1, 'two')])
  assert.equal(folded.internals.a!.fence, 'one')
  assert.equal(folded.state.stages[0]!.attempts, 1)
  const after = fold([completed('a', 'two')], folded)
  assert.equal(after.state.stages[0]!.status, 'running')
  assert.equal(after.state.revision, 5, 'an ignored record still has its place')
})

test('a takeover names the claim that it ends, and ends it', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'one'), claim('a', 1, ['two', 'one'])])
  assert.equal(folded.internals.a!.fence, 'two')
  assert.equal(folded.state.stages[0]!.attempts, 2)
  const zombie = fold(
    [
      { type: 'artifact', stage: 'a', fence: 'one', name: 'x', file: 'x', mime: 'm', bytes: 1, sha256: 's' },
      { type: 'step', stage: 'a', fence: 'one', name: 's', key: 'k', result: { value: 1 }, files: [] },
      { type: 'progress', stage: 'a', fence: 'one', progress: 99, message: null },
      failed('a', 'one', null),
      { type: 'released', stage: 'a', fence: 'one', reason: 'interrupted' },
      completed('a', 'one'),
    ],
    folded,
  )
  assert.deepEqual({ ...zombie.state, revision: 0 }, { ...folded.state, revision: 0 })
})

test('a stage is not queued while another is on its way, wherever that is', () => {
  const parked: RecordBody = { type: 'released', stage: 'b', fence: 'fb', reason: 'quota' }
  const way: RecordBody[] = [queued('b', 1), claim('b', 1, 'fb'), parked]
  for (const end of [1, 2, 3]) {
    const before = fold([CREATED, ...way.slice(0, end)])
    for (const stage of ['a', 'c']) assert.deepEqual(statuses(fold([queued(stage, 2)], before)), statuses(before))
  }
})

test('a claim for another task than the one that stands is refused', () => {
  const folded = fold([
    CREATED,
    queued('a', 1),
    { type: 'cancelled' },
    { type: 'reopened' },
    queued('a', 2),
    claim('a', 1, 'old'),
  ])
  assert.equal(folded.state.stages[0]!.status, 'queued')
  assert.equal(folded.state.stages[0]!.task_id, 'p-2')
})

test('cancel revokes what runs and keeps what is done', () => {
  const folded = fold([
    CREATED,
    queued('a', 1),
    claim('a', 1, 'fa'),
    completed('a', 'fa'),
    queued('b', 2),
    claim('b', 2, 'fb'),
    { type: 'cancelled' },
  ])
  assert.deepEqual(statuses(folded), ['completed', 'cancelled', 'pending'])
  assert.equal(folded.state.status, 'cancelled')
  assert.equal(fold([completed('b', 'fb')], folded).state.stages[1]!.status, 'cancelled')
})

test('cancel of a project that never began is remembered', () => {
  assert.equal(fold([CREATED, { type: 'cancelled' }]).state.status, 'cancelled')
})

test('an error with a due time waits in the queue, without one it fails; resume gives new tries', () => {
  const running = fold([CREATED, queued('a', 1), claim('a', 1, 'one')])
  const waiting = fold([failed('a', 'one', '2026-01-01T00:00:02.000Z')], running)
  assert.deepEqual([waiting.state.stages[0]!.status, waiting.state.stages[0]!.retries], ['queued', 1])
  assert.equal(waiting.state.stages[0]!.retry_at, '2026-01-01T00:00:02.000Z')
  const again = fold([claim('a', 1, ['two', 'one'])], waiting)
  assert.deepEqual([again.state.stages[0]!.attempts, again.state.stages[0]!.retry_at], [2, null])
  const dead = fold([failed('a', 'two', null)], again)
  assert.deepEqual([dead.state.status, dead.state.error?.message], ['failed', 'no'])
  const reopened = fold([{ type: 'reopened' }], dead)
  assert.deepEqual([reopened.state.status, reopened.state.stages[0]!.retries], ['pending', 0])
})

test('rerun of one stage keeps the later ones as stale; with the following ones they run again', () => {
  const done = fold([
    CREATED,
    ...['a', 'b', 'c'].flatMap((s, i) => [queued(s, i + 1), claim(s, i + 1, `f${s}`), completed(s, `f${s}`)]),
  ])
  const one = fold([{ type: 'rerun', stage: 'b', and_following: false }], done)
  assert.deepEqual(statuses(one), ['completed', 'pending', 'completed'])
  assert.deepEqual(
    one.state.stages.map((s) => s.stale),
    [false, false, true],
  )
  assert.equal(one.internals.b!.take, 1)
  const all = fold([{ type: 'rerun', stage: 'b', and_following: true }], done)
  assert.deepEqual(statuses(all), ['completed', 'pending', 'pending'])
  assert.equal(all.internals.c!.take, 0, 'a following stage keeps its remembered steps')
})

test('a damaged stage steps back together with what was on its way behind it', () => {
  const folded = fold([
    CREATED,
    queued('a', 1),
    claim('a', 1, 'fa'),
    completed('a', 'fa'),
    queued('b', 2),
    claim('b', 2, 'fb'),
  ])
  const back = fold([{ type: 'demoted', stage: 'a', missing: ['x'] }], folded)
  assert.deepEqual(statuses(back), ['pending', 'pending', 'pending'])
  assert.equal(fold([completed('b', 'fb')], back).state.stages[1]!.status, 'pending')
})

test('a lost journal begins anew from the state file, without its claims', () => {
  const running = fold([
    CREATED,
    queued('a', 1),
    claim('a', 1, 'fa'),
    completed('a', 'fa'),
    queued('b', 2),
    claim('b', 2, 'fb'),
  ])
  const anew = fold([{ type: 'recovered', state: running.state }])
  assert.deepEqual(statuses(anew), ['completed', 'pending', 'pending'])
  assert.equal(anew.continues, true)
  assert.equal(fold([queued('b', 2)], anew).state.stages[1]!.status, 'pending', 'a task id is used once')
  assert.equal(fold([queued('b', 3)], anew).state.stages[1]!.status, 'queued')
})

test('nothing counts before the beginning, and there is one beginning', () => {
  assert.equal(fold([queued('a', 1), { type: 'cancelled' }]).state.id, '')
  const twice = fold([CREATED, { ...CREATED, title: 'other' } as RecordBody])
  assert.equal(twice.state.title, 't')
})
