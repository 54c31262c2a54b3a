/** Who is past its hard limit, and what is said of it: the worker itself is first, and a pause of ours is nobody's fault. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findOverdue, type Holding, judgeOverdue, type OverdueLook } from '../../src/launch/overdue.ts'
import type { HeldJob } from '../../src/queue/job.ts'
import type { StackTop } from '../../src/supervisor/facts.ts'

const LIMIT_MS = 900_000
/** Its worker has 5 s to end it, and some more to say so. */
const KILL_MS = LIMIT_MS + 7_000

const A = jobOf('a')
const B = jobOf('b')

test('a stage is overdue some time after its worker should have ended for it, and only while its code runs', () => {
  const at = (nowMs: number) => looksUpTo(nowMs).overdue.length
  assert.deepEqual([at(LIMIT_MS), at(LIMIT_MS + 5_000), at(KILL_MS), at(KILL_MS + 500)], [0, 0, 0, 1])
  const waiting = holdingOf({ ...A, limit: null })
  assert.deepEqual(findOverdue(null, [waiting], KILL_MS * 2).overdue, [])
})

test('after a pause of ours nobody is judged before it had the time to end by itself', () => {
  const before = looksUpTo(LIMIT_MS - 1_000)
  const awakeMs = KILL_MS + 60_000
  const awake = findOverdue(before.look, [holdingOf(A)], awakeMs)
  assert.deepEqual(awake.overdue, [])
  assert.deepEqual(looksUpTo(awakeMs + 6_500, awake.look).overdue, [])
  assert.equal(looksUpTo(awakeMs + 8_000, awake.look).overdue.length, 1, 'then it is ended all the same')
})

test('the stage fails with the place where it was found', () => {
  const { reason, failed } = judgeOverdue([A], loopIn('a'))
  assert.equal(
    reason,
    'held render of a, which was still running 5 s after its time limit of 900 s; it was in spin (pipelines/x.ts:9)',
  )
  const message = 'render was still running 5 s after its time limit of 900 s; it was in spin (pipelines/x.ts:9)'
  assert.deepEqual(failed, [{ job: A, message }])
})

test('where nobody can look the words do without a place', () => {
  assert.deepEqual(judgeOverdue([A], null).failed, [
    { job: A, message: 'render was still running 5 s after its time limit of 900 s' },
  ])
})

test('a loop that another stage blocks is not the fault of the one that could not be ended', () => {
  const { reason, failed } = judgeOverdue([A], loopIn('b'))
  assert.deepEqual(failed, [])
  assert.match(reason, /^could not end render of a at its time limit, because something else blocks it; it was in spin/)
})

test('of several that are overdue the one that blocks the loop is named, and all fail', () => {
  const { reason, failed } = judgeOverdue([A, B], loopIn('b'))
  assert.match(reason, /^held render of b, which was still running/)
  assert.deepEqual(
    failed.map(({ job, message }) => [job.taskId, message.includes('spin')]),
    [
      ['a', false],
      ['b', true],
    ],
  )
})

/** One look each half second, the last one at `endMs`. */
function looksUpTo(endMs: number, from: OverdueLook | null = null) {
  let found = findOverdue(from, [], from ? from.atMs + 500 : endMs - 10_000)
  while (found.look.atMs < endMs)
    found = findOverdue(found.look, [holdingOf(A)], Math.min(endMs, found.look.atMs + 500))
  return found
}

function holdingOf(job: HeldJob): Holding {
  return { pid: 1, job }
}

function jobOf(id: string): HeldJob {
  const limit = { seconds: 900, atMs: LIMIT_MS }
  const about = { projectId: id, taskId: id, stage: 'render', owner: 'operator', queue: 'video', token: 't' } as const
  return { ...about, since: '2026-01-01T00:00:00.000Z', running: true, limit }
}

function loopIn(scope: string): StackTop {
  return { function: 'spin', file: 'pipelines/x.ts', line: 9, column: 1, frames: [], scope }
}
