/** Who was ended by force, by what the programs say: what such an end may leave is no finding, all else is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { casualtiesOf } from '../../src/chaos/casualties.ts'
import type { Exit, Fact } from '../../src/chaos/program.ts'

const spawned = (name: string): Fact => ({ type: 'child_spawned', name, atMs: 1 })
const exited = (name: string, code: number | null): Fact => ({ type: 'child_exited', name, code, atMs: 2 })
const CHILDREN = ['redis', 'io-1', 'media-1', 'scheduler'].map(spawned)
const READY: Fact = { type: 'ready', atMs: 1 }

function program(exit: Exit | null, facts: Fact[], startedAtMs = 1) {
  return { exited: () => exit, facts: [READY, ...CHILDREN, ...facts], startedAtMs }
}

const CLEAN = { code: 0, signal: null }
const HURRIED = { code: 130, signal: null }
const KILLED = { code: null, signal: 'SIGKILL' } as const

test('a clean run has none, also when its user was impatient', () => {
  const ends = ['redis', 'io-1', 'media-1', 'scheduler'].map((name) => exited(name, 0))
  for (const exit of [CLEAN, HURRIED])
    assert.deepEqual(casualtiesOf([program(exit, ends)]), { writers: 0, writersSince: 0, lastStartMs: 1 })
})

test('workers and the scheduler count, Redis does not', () => {
  const ends = [exited('redis', null), exited('io-1', null), exited('scheduler', 5)]
  assert.equal(casualtiesOf([program(CLEAN, ends)]).writers, 2)
})

test('a killed supervisor takes all with it; what it left the next start has removed', () => {
  const programs = [program(KILLED, []), program(CLEAN, [], 500)]
  assert.deepEqual(casualtiesOf(programs), { writers: 4, writersSince: 0, lastStartMs: 500 })
})

test('one that never served has put nothing in order', () => {
  const refused = { exited: () => CLEAN, facts: [], startedAtMs: 900 }
  assert.deepEqual(casualtiesOf([program(CLEAN, [exited('io-1', null)], 300), refused]), {
    ...{ writers: 1, writersSince: 1, lastStartMs: 300 },
  })
  assert.deepEqual(casualtiesOf([refused]), { writers: 0, writersSince: 0, lastStartMs: 0 })
})
