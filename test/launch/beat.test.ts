/** A beat is heard as far as it is one: nothing that a child sends may throw in the supervisor. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hearBeat } from '../../src/launch/beat.ts'
import { createTotals } from '../../src/launch/totals.ts'
import { jobsDone } from '../../src/launch/worker-view.ts'
import { childStatus } from './child-status.ts'

const TALLY = { completed: 3, failed: 1, retried: 0, released: 0, started: 4, busy_s: 1.5 }
const DONE = { completed: 3, failed: 1, retried: 0, released: 0 }

test('a worker\u2019s own is heard as it was said', () => {
  const beat = { held: 1, running: 1, done: DONE, queues: { llm: TALLY }, loop_delay_ms: 2.5, last_redis_ok_s: 0 }
  assert.deepEqual(hearBeat(beat), { done: DONE, queues: { llm: TALLY }, loopDelayMs: 2.5 })
})

const LIES: unknown[] = [
  undefined,
  null,
  5,
  'beat',
  [],
  { done: null, queues: null, loop_delay_ms: null },
  { done: 5, queues: 'llm', loop_delay_ms: 'long' },
  { done: { completed: 'many' }, queues: { llm: null, moon: TALLY }, loop_delay_ms: {} },
  { done: [null], queues: { llm: { completed: 'many' } } },
]

for (const beat of LIES)
  test(`${JSON.stringify(beat)} counts nothing`, () => {
    const totals = createTotals()
    totals.note([childStatus({ pid: 1, cpu_s: 0, beat })])
    totals.noteEnd(childStatus({ pid: null, cpu_s: 0, beat }), 1)
    const counted = [...totals.queues().values()].flatMap((tally) => Object.values(tally))
    assert.ok(
      counted.every((count) => count === 0),
      `${counted}`,
    )
    assert.ok(!totals.queues().has('moon'))
    assert.deepEqual([jobsDone(beat), hearBeat(beat).loopDelayMs], [0, null])
  })
