/** Who is blamed for a silence, on a clock of our own: the child, its parent's pause, or nobody. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHangWatch, type Watched } from '../../src/supervisor/hang.ts'

const LIMIT_MS = 4_000

test('a silent child is hung after the limit, not before', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 4)
  assert.deepEqual(world.hung, [])
  await world.pass(1_000, 1)
  assert.deepEqual(world.hung, ['child gave no sign of life for 5.0 s'])
})

test('a beat is enough', async (t) => {
  const world = createWorld(t)
  for (let i = 0; i < 10; i++) {
    await world.pass(1_000, 1)
    world.child.lastSignMs = world.now()
  }
  assert.deepEqual(world.hung, [])
})

test('when we were paused ourselves, every deadline starts anew', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 2)
  await world.pass(60_000, 1)
  await world.pass(1_000, 4)
  assert.deepEqual(world.hung, [])
  await world.pass(1_000, 1)
  assert.equal(world.hung.length, 1, 'but only once')
})

test('a beat that lay unread in the pipe saves the child', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 4)
  setImmediate(() => {
    world.child.lastSignMs = world.now()
  })
  await world.pass(1_000, 1)
  assert.deepEqual(world.hung, [])
})

test('a program lives as long as it is not stopped, and 0 turns the watch off', async (t) => {
  const world = createWorld(t, { beats: false })
  await world.pass(1_000, 20)
  assert.deepEqual(world.hung, [])
  const off = createWorld(t, { limitMs: 0 })
  await off.pass(1_000, 20)
  assert.deepEqual(off.hung, [])
})

function createWorld(t: TestContext, given: { beats?: boolean; limitMs?: number } = {}) {
  t.mock.timers.reset()
  t.mock.timers.enable({ apis: ['setInterval'] })
  let nowMs = 0
  const child: Watched = { name: 'child', pid: process.pid, beats: given.beats ?? true, lastSignMs: 0 }
  const hung: string[] = []
  const watch = createHangWatch({
    limitMs: given.limitMs ?? LIMIT_MS,
    now: () => nowMs,
    watched: () => [child],
    onHung: (name, reason) => hung.push(`${name} ${reason}`),
  })
  t.after(() => watch.stop())
  return {
    child,
    hung,
    now: () => nowMs,
    /** The clock moves on by `ms`, then the interval fires once; so often. */
    async pass(ms: number, times: number) {
      for (let i = 0; i < times; i++) {
        nowMs += ms
        t.mock.timers.tick(1_000)
        for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
