/** Times are read from journals: what was interrupted, and when it ran again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyOf } from '../../src/chaos/history.ts'
import { medianOf, recoveriesOf } from '../../src/chaos/recovery.ts'
import type { RecordBody } from '../../src/project/records.ts'
import { CREATED, claim, completed, failed, queued } from '../helpers/records.ts'
import { journalOf, timeOf } from './journals.ts'

/** Owners of the helper's claims have the pid 1. */
const PID = 1
const at = (index: number) => Date.parse(timeOf(index))
const history = (...bodies: RecordBody[]) => historyOf(journalOf([CREATED, queued('a', 1), ...bodies]))

test('the time runs from the blow to the next attempt of what it interrupted', () => {
  const taken = history(claim('a', 1, 'f1'), claim('a', 1, ['f2', 'f1']), completed('a', 'f2'))
  const strike = { atMs: at(2) + 400, pids: [PID], noticedMs: null }
  assert.deepEqual(recoveriesOf([taken], strike), [600])
  assert.deepEqual(recoveriesOf([taken, taken], strike), [600, 600])
})

test('what had ended before, or runs in another process, was not interrupted', () => {
  const done = history(claim('a', 1, 'f1'), completed('a', 'f1'), queued('b', 2), claim('b', 2, 'f2'))
  const after = { atMs: at(3) + 1, pids: [PID], noticedMs: null }
  assert.deepEqual(recoveriesOf([done], after), [1_999], 'then it counts when the next stage begins')
  assert.deepEqual(recoveriesOf([done], { ...after, atMs: at(2) + 500, pids: [2] }), [2_500])
  assert.deepEqual(recoveriesOf([done], { ...after, atMs: at(9) }), [], 'and nothing when none does')
})

test('what got through was not interrupted, and what is given up does not run again', () => {
  const through = history(claim('a', 1, 'f1'), completed('a', 'f1'), queued('b', 2), claim('b', 2, 'f2'))
  const during = { atMs: at(2) + 500, pids: [PID], noticedMs: null }
  assert.deepEqual(recoveriesOf([through], during), [2_500], 'the next stage counts')
  const given = history(claim('a', 1, 'f1'), failed('a', 'f1', null))
  assert.deepEqual(recoveriesOf([given, through], during), [])
})

test('the median of none is null, of two their middle', () => {
  assert.deepEqual([medianOf([]), medianOf([3, 1, 2]), medianOf([4, 1])], [null, 2, 2.5])
})
