/** Overlapping replacement, and children that come and go while the others run. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { childOf } from '../../src/supervisor/state.ts'
import { exited, REDIS, readyRun, spec, WORKER } from './reducer-run.ts'

const replace = { type: 'replace', name: 'worker', why: 'asked', budgetMs: 9_000 } as const

function start() {
  const run = readyRun([REDIS, WORKER])
  run.done()
  return run
}

describe('replacing', () => {
  test('the successor takes the name when it is ready; only then is the other drained', () => {
    const run = start()
    run.send(100, replace)
    assert.deepEqual(run.done(), [
      'copy worker worker.next',
      'go worker.next',
      'spawn worker.next',
      'tell child_replacing worker',
    ])
    assert.equal(run.phase('worker'), 'ready')
    run.send(200, { type: 'ready', name: 'worker.next', facts: null })
    assert.deepEqual(run.done(), [
      'drain worker.old',
      'rename worker worker.old',
      'rename worker.next worker',
      'tell child_ready worker',
      'tell child_replaced worker',
    ])
    assert.deepEqual([run.phase('worker'), run.phase('worker.old')], ['ready', 'stopping'])
    assert.equal(childOf(run.state(), 'worker')?.restarts, 1)
    run.send(300, exited('worker.old', 0))
    assert.deepEqual(run.done(), ['forget worker.old', 'tell child_stopped worker.old'])
    assert.equal(childOf(run.state(), 'worker.old'), undefined)
  })

  test('what does not drain in its time is killed', () => {
    const run = start()
    run.send(0, replace)
    run.send(100, { type: 'ready', name: 'worker.next', facts: null })
    run.done()
    run.send(9_099, { type: 'tick' })
    assert.deepEqual(run.done(), [])
    run.send(9_100, { type: 'tick' })
    assert.deepEqual(run.done(), ['kill worker.old'])
  })

  test('a successor that does not come up changes nothing for the one that works', () => {
    const run = start()
    run.send(0, replace)
    run.done()
    run.send(100, exited('worker.next', 1))
    assert.deepEqual(run.done(), ['forget worker.next', 'tell child_replace_failed worker'])
    assert.deepEqual([run.phase('worker'), childOf(run.state(), 'worker')?.failures], ['ready', 0])
  })

  test('when the old one dies meanwhile the successor has the name at once', () => {
    const run = start()
    run.send(0, replace)
    run.done()
    run.send(100, exited('worker', 1))
    assert.deepEqual(run.done(), ['rename worker.next worker', 'tell child_replaced worker'])
    assert.equal(run.phase('worker'), 'starting')
  })

  test('one at a time, and only of a child that works', () => {
    const run = start()
    run.send(0, replace)
    run.done()
    run.send(1, replace)
    assert.deepEqual(run.done(), [])
    const crashed = start()
    crashed.send(100, exited('worker', 1))
    crashed.done()
    crashed.send(101, replace)
    assert.deepEqual(crashed.done(), [])
  })

  test('a stop of the slot ends both', () => {
    const run = start()
    run.send(0, replace)
    run.done()
    run.send(100, { type: 'stop', names: ['worker'], budgetMs: 5_000 })
    assert.deepEqual(run.done(), ['drain worker', 'drain worker.next'])
    run.send(200, exited('worker.next', 0))
    run.send(201, exited('worker', 0))
    assert.deepEqual([run.phase('worker'), run.phase('worker.next')], ['stopped', undefined])
  })
})

describe('coming and going', () => {
  test('an added child starts like the others, a removed one is drained and forgotten', () => {
    const run = start()
    run.send(0, { type: 'add', spec: spec('worker-2', { kind: 'node', needs: ['redis'] }) })
    assert.deepEqual(run.done(), ['go worker-2', 'spawn worker-2'])
    run.send(100, { type: 'ready', name: 'worker-2', facts: null })
    run.done()
    run.send(200, { type: 'remove', name: 'worker-2', budgetMs: 1_000 })
    assert.deepEqual(run.done(), ['drain worker-2'])
    run.send(300, exited('worker-2', 0))
    assert.deepEqual(run.done(), ['forget worker-2', 'tell child_stopped worker-2'])
    assert.equal(childOf(run.state(), 'worker-2'), undefined)
  })

  test('a name that is taken is not added again', () => {
    const run = start()
    run.send(0, { type: 'add', spec: WORKER })
    assert.deepEqual(run.done(), [])
  })
})

describe('kills from outside', () => {
  const killed = (name: string) => ({ ...exited(name, null), outside: true })

  test('a child that was up starts again at once, however often it is killed', () => {
    const run = start()
    for (let round = 1; round <= 20; round++) {
      run.send(round * 2_000, killed('worker'))
      assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'worker', afterMs: 25, free: true })
      run.send(round * 2_000, { type: 'tick' })
      run.send(round * 2_000 + 500, { type: 'ready', name: 'worker', facts: null })
    }
    assert.equal(run.phase('worker'), 'ready')
  })

  test('one that is killed while it comes up waits longer each time, and is never parked', () => {
    const run = start()
    let nowMs = 10
    const delays = Array.from({ length: 10 }, () => {
      run.send(nowMs, killed('worker'))
      const fact = run.lastFact() as { afterMs: number }
      nowMs += fact.afterMs
      run.send(nowMs, { type: 'tick' })
      return fact.afterMs
    })
    assert.deepEqual(delays, [25, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })
})

test('the first crash of a child that was up costs hardly a delay, the second does', () => {
  const run = start()
  run.send(5_000, exited('worker', 1))
  assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'worker', afterMs: 25, free: false })
  run.send(5_025, { type: 'tick' })
  run.send(5_400, { type: 'ready', name: 'worker', facts: null })
  run.send(7_400, exited('worker', 1))
  assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'worker', afterMs: 500, free: false })
})

test('time in which we did not run counts for no deadline', () => {
  const run = start()
  run.send(0, replace)
  run.send(20_000, { type: 'slept', ms: 20_000 })
  run.done()
  run.send(20_001, { type: 'tick' })
  assert.deepEqual(run.done(), [])
  run.send(20_002, { type: 'ready', name: 'worker.next', facts: null })
  assert.equal(run.phase('worker'), 'ready')
})
