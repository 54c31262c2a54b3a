/** When kills from outside are the work of the stage that they hit, and when they are chance. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutsideKills } from '../../src/launch/outside-kills.ts'

test('several stages that each end their worker do not excuse one another', () => {
  const { hit } = createCase()
  const last = Array.from({ length: 8 }, () => ['a', 'b', 'c'].map((taskId) => hit({ [taskId]: 0 })[taskId])).at(-1)!
  assert.ok(
    last.every((times) => times! >= 5),
    `${last}`,
  )
})

test('one that was hit by chance in between is excused by a kill of what was never hit', () => {
  const { hit } = createCase()
  assert.deepEqual([hit({ a: 0 }), hit({ a: 0, b: 0 }), hit({ c: 0 }), hit({ a: 0 })].at(-1), { a: 1 })
})

test('a step more begins a new count, and so do ten minutes; another task is another matter', () => {
  const { hit, pass } = createCase()
  assert.deepEqual([hit({ a: 1 }), hit({ a: 1 }), hit({ a: 2 }), hit({ a: 2 })].at(-1), { a: 2 })
  pass(599_000)
  assert.deepEqual(hit({ a: 2, b: 0 }), { a: 3, b: 1 })
  pass(601_000)
  assert.deepEqual(hit({ a: 2 }), { a: 1 })
})

test('for a minute after the kill of a process without work nothing counts', () => {
  const { kills, hit, pass } = createCase()
  hit({ a: 0 })
  kills.noteForeign()
  assert.deepEqual([kills.isKnown('a'), hit({ a: 0 })], [false, {}])
  pass(60_000)
  assert.deepEqual(hit({ a: 0 }), { a: 1 })
})

test('what it remembers is bounded, and the oldest goes first', () => {
  const { kills, hit } = createCase()
  for (let n = 0; n < 1_001; n++) hit({ [`t${n}`]: 0 })
  assert.deepEqual(['t0', 't1', 't1000'].map(kills.isKnown), [false, true, true])
})

function createCase() {
  let nowMs = 0
  const kills = createOutsideKills(() => nowMs)
  return {
    kills,
    pass(ms: number) {
      nowMs += ms
    },
    /** One kill; the tasks with their steps. */
    hit: (tasks: Record<string, number>) =>
      Object.fromEntries(kills.note(Object.entries(tasks).map(([taskId, steps]) => ({ taskId, steps })))),
  }
}
