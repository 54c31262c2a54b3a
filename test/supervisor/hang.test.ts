/** Who is blamed for a silence, on a clock of our own: the child, its parent's pause, a full machine, or nobody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sleep, until } from '../../src/lib/until.ts'
import type { StackTop } from '../../src/supervisor/facts.ts'
import type { Watched } from '../../src/supervisor/suspicions.ts'
import { createWorld } from './hang-world.ts'

const SPIN: StackTop = {
  function: 'spin',
  file: 'pipelines/busy.ts',
  line: 14,
  column: 5,
  frames: ['spin (pipelines/busy.ts:14)', 'run (pipelines/busy.ts:20)'],
  scope: 'task-1',
}

test('a silent child is suspected at a third of the limit and hung after it, not before', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 4)
  assert.deepEqual(world.said, [])
  await world.pass(1_000, 1)
  assert.deepEqual(world.said, ['suspected: child gave no sign of life for 5.0 s'])
  assert.ok(world.child.isSuspected)
  await world.pass(1_000, 7)
  assert.equal(world.said.length, 1, 'said once')
  await world.pass(1_000, 3)
  assert.deepEqual(world.said.slice(1), ['hung: child gave no sign of life for 13.0 s'])
})

test('a beat is enough', async (t) => {
  const world = createWorld(t)
  for (let i = 0; i < 20; i++) {
    await world.pass(1_000, 1)
    world.beat()
  }
  assert.deepEqual(world.said, [])
})

test('where it is gets told, and asked again shortly before the end: by then it may be elsewhere', async (t) => {
  const answers = [SPIN, { ...SPIN, function: 'turn', line: 30 }]
  const world = createWorld(t, { read: async () => answers.shift() ?? null })
  await world.pass(1_000, 5)
  assert.deepEqual(world.child.where, SPIN)
  await world.pass(1_000, 8)
  assert.deepEqual(world.said, [
    'suspected: child gave no sign of life for 5.0 s; it was in spin (pipelines/busy.ts:14)',
    'hung: child gave no sign of life for 13.0 s; it was in turn (pipelines/busy.ts:30)',
  ])
  assert.equal(world.reads(), 2)
})

test('inside a library it is told who called', async (t) => {
  const frames = ['parse (node_modules/x/y.js:3)', 'forEach (node:internal/x:1)', 'run (pipelines/busy.ts:20)']
  const top = { ...SPIN, function: 'parse', file: 'node_modules/x/y.js', line: 3, frames }
  const world = createWorld(t, { read: async () => top })
  await world.pass(1_000, 5)
  assert.match(world.said[0]!, /was in parse \(node_modules\/x\/y\.js:3\), called by run \(pipelines\/busy\.ts:20\)$/)
})

test('who beats again is taken back, is let alone, and can be suspected again', async (t) => {
  const world = createWorld(t, { read: async () => SPIN })
  await world.pass(1_000, 6)
  world.beat()
  await world.pass(1_000, 1)
  assert.deepEqual(world.said.slice(1), ['recovered: child after 6.0 s in spin'])
  assert.deepEqual([world.released(), world.child.isSuspected, world.child.where], [1, false, null])
  await world.pass(1_000, 11)
  assert.equal(world.said.length, 3, 'suspected, but its silence counts from its last beat')
  await world.pass(1_000, 1)
  assert.match(world.said[3]!, /^hung: child/)
})

test('an answer that never comes delays neither the end nor what others are judged by', async (t) => {
  const world = createWorld(t, { read: () => new Promise(() => {}) })
  const other: Watched = { ...world.child, name: 'other', pid: 2, stack: null }
  world.others.push(other)
  await world.pass(1_000, 13)
  assert.deepEqual(
    world.said.filter((line) => line.startsWith('hung')),
    [
      'hung: child gave no sign of life for 13.0 s; it was waiting in a synchronous call',
      'hung: other gave no sign of life for 13.0 s',
    ],
  )
})

test('an answer that comes late was native code until then: only who stays silent is asked again', async (t) => {
  for (const isBack of [true, false]) {
    let answer = (_top: StackTop | null) => {}
    const world = createWorld(t, {
      read: () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    })
    await world.pass(1_000, 5)
    assert.equal(world.reads(), 1)
    await world.pass(1_000, 4)
    answer({ ...SPIN, function: 'whatever' })
    if (isBack) world.beat()
    if (isBack) await sleep(350)
    else await until(() => world.reads() === 2, { timeoutMs: 5_000 })
    assert.equal(world.reads(), isBack ? 1 : 2)
    answer(SPIN)
    await world.pass(1_000, 1)
    assert.deepEqual(world.child.where, isBack ? null : SPIN)
  }
})

test('an answer that comes too late is not held against the next silence', async (t) => {
  let answer = (_top: StackTop | null) => {}
  const world = createWorld(t, {
    read: () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  })
  await world.pass(1_000, 5)
  world.beat()
  await world.pass(1_000, 1)
  answer(SPIN)
  await world.pass(1_000, 1)
  assert.equal(world.child.where, null)
  assert.deepEqual(world.said, [], 'over before anybody was told')
})

test('when we were paused ourselves, every deadline starts anew; what was suspected stays so', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 5)
  await world.pass(60_000, 1)
  await world.pass(1_000, 12)
  assert.deepEqual(world.said, ['suspected: child gave no sign of life for 5.0 s'])
  await world.pass(1_000, 3)
  assert.deepEqual(world.said.slice(1), ['hung: child gave no sign of life for 13.0 s'])
})

test('a pause of ours is no reason for a suspicion either', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 3)
  await world.pass(20_000, 1)
  await world.pass(1_000, 4)
  assert.deepEqual(world.said, [])
})

test('a beat that lay unread in the pipe saves the child', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 4)
  setImmediate(() => world.beat())
  await world.pass(1_000, 1)
  assert.deepEqual(world.said, [])
})

test('who wants to run but gets no CPU is suspected and not killed; one that gets it is', async (t) => {
  const world = createWorld(t)
  Object.assign(world.stat, { state: 'R', cpuTicks: 100 })
  await world.pass(1_000, 30)
  assert.equal(world.said.length, 1)
  world.stat.cpuTicks += 100
  await world.pass(1_000, 1)
  assert.deepEqual(world.said.slice(1), ['hung: child gave no sign of life for 31.0 s'])
})

test('a stopped child is told as such', async (t) => {
  const world = createWorld(t)
  world.stat.state = 'T'
  await world.pass(1_000, 13)
  assert.deepEqual(world.said, [
    'suspected: child was stopped by a signal for 5.0 s',
    'hung: child was stopped by a signal for 13.0 s',
  ])
})

test('a program lives as long as it is not stopped', async (t) => {
  const world = createWorld(t, { beats: false })
  await world.pass(1_000, 20)
  assert.deepEqual(world.said, [])
  world.stat.state = 'T'
  await world.pass(1_000, 13)
  assert.match(world.said.at(-1)!, /^hung: child was stopped by a signal for 13\.0 s$/)
})

test('names may change hands: a silence is its process’s', async (t) => {
  const world = createWorld(t)
  await world.pass(1_000, 5)
  world.child.name = 'child.old'
  world.others.push({ ...world.child, name: 'child', pid: 2, isSuspected: false, lastSignMs: world.now() })
  await world.pass(1_000, 8)
  assert.deepEqual(world.said.slice(1), [
    'suspected: child gave no sign of life for 5.0 s',
    'hung: child.old gave no sign of life for 13.0 s',
  ])
})

test('a short limit leaves time for beats that come each second', async (t) => {
  const world = createWorld(t, { limitMs: 2_000 })
  for (let i = 0; i < 20; i++) {
    await world.pass(250, 5)
    world.beat()
  }
  assert.deepEqual(world.said, [])
  await world.pass(250, 9)
  assert.deepEqual(world.said, [
    'suspected: child gave no sign of life for 1.8 s',
    'hung: child gave no sign of life for 2.3 s',
  ])
})

test('0 turns the watch off', async (t) => {
  const world = createWorld(t, { limitMs: 0 })
  await world.pass(1_000, 40)
  assert.deepEqual(world.said, [])
})
