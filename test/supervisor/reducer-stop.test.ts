/** How the supervisor's decisions end children: tables without a process. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { createRun, exited, REDIS, readyRun, spec, WORKER } from './reducer-run.ts'

describe('stopping', () => {
  const cases: {
    name: string
    child: ChildSpec
    at: 'waiting' | 'starting' | 'ready'
    killAfterMs: number
    asks: boolean
  }[] = [
    {
      name: 'a ready node child has until the deadline',
      child: spec('a', { kind: 'node' }),
      at: 'ready',
      killAfterMs: 20_000,
      asks: true,
    },
    {
      name: 'a starting one two seconds',
      child: spec('a', { kind: 'node' }),
      at: 'starting',
      killAfterMs: 2_000,
      asks: true,
    },
    { name: 'one that only waits is killed', child: WORKER, at: 'waiting', killAfterMs: 0, asks: false },
    { name: 'a program its own grace', child: REDIS, at: 'ready', killAfterMs: 5_000, asks: true },
  ]
  for (const { name, child, at, killAfterMs, asks } of cases) {
    test(name, () => {
      const run = createRun([child])
      run.send(0, { type: 'start' })
      if (at === 'ready') run.send(0, { type: 'ready', name: child.name, facts: null })
      assert.equal(run.phase(child.name), at)
      run.done()
      run.send(1_000, { type: 'stop', names: [child.name], budgetMs: 20_000 })
      const asked = run.done()
      assert.equal(asked.includes(`drain ${child.name}`), asks)
      if (killAfterMs > 0) {
        run.send(1_000 + killAfterMs - 1, { type: 'tick' })
        assert.deepEqual(run.done(), [])
        run.send(1_000 + killAfterMs, { type: 'tick' })
        assert.deepEqual(run.done(), [`kill ${child.name}`])
      } else assert.ok(asked.includes(`kill ${child.name}`))
      run.send(30_000, exited(child.name, null))
      assert.deepEqual(run.lastFact(), { type: 'child_stopped', name: child.name, ms: 29_000, forced: true })
    })
  }

  test('a second stop can only shorten the first', () => {
    const run = readyRun([spec('a', { kind: 'node' })])
    run.send(0, { type: 'stop', names: ['a'], budgetMs: 20_000 })
    run.send(100, { type: 'stop', names: ['a'], budgetMs: 60_000 })
    assert.equal(run.due(), 19_900)
    run.send(200, { type: 'stop', names: ['a'], budgetMs: 1_000 })
    assert.equal(run.due(), 1_000)
  })

  test('who drains already hears of an earlier deadline, once, and a program is not asked twice', () => {
    const run = readyRun([spec('a', { kind: 'node' }), REDIS])
    run.send(0, { type: 'stop', names: ['a', 'redis'], budgetMs: 900_000 })
    run.done()
    run.send(100, { type: 'stop', names: ['a', 'redis'], budgetMs: 1_000 })
    assert.deepEqual(run.done(), ['drain a'])
    run.send(200, { type: 'stop', names: ['a', 'redis'], budgetMs: 1_000 })
    assert.deepEqual(run.done(), [], 'that would be later')
  })

  test('a stop during the backoff cancels the restart', () => {
    const run = readyRun([REDIS])
    run.send(10, exited('redis', 1))
    run.send(20, { type: 'stop', names: ['redis'], budgetMs: 1_000 })
    assert.equal(run.phase('redis'), 'stopped')
    run.done()
    run.send(100_000, { type: 'tick' })
    assert.deepEqual(run.done(), [])
  })

  for (const { code, phase } of [
    { code: 78, phase: 'parked' },
    { code: 1, phase: 'backoff' },
  ])
    test(`one that is taken out while it is ${phase} has stopped at once, and that is told`, () => {
      const run = createRun([spec('a', { kind: 'node' }), REDIS])
      run.send(0, { type: 'start' })
      run.send(10, exited('a', code))
      assert.equal(run.phase('a'), phase)
      run.done()
      run.send(5_000, { type: 'remove', name: 'a', budgetMs: 1_000 })
      assert.deepEqual(run.lastFact(), { type: 'child_stopped', name: 'a', ms: 0, forced: false })
      assert.deepEqual(run.done(), ['forget a', 'tell child_stopped a'])
      assert.equal(run.phase('a'), undefined)
    })

  test('one that was never started, or has stopped already, is not told of again', () => {
    const run = createRun([REDIS])
    run.send(0, { type: 'stop', names: ['redis'], budgetMs: 1_000 })
    run.send(1, { type: 'stop', names: ['redis'], budgetMs: 1_000 })
    run.send(2, { type: 'kill' })
    assert.deepEqual(run.done(), [])
  })

  test('a restart drains, starts anew with crashes forgotten, and wakes a parked child', () => {
    const run = readyRun([REDIS])
    run.send(10, { type: 'restart', name: 'redis', budgetMs: 1_000 })
    assert.equal(run.phase('redis'), 'stopping')
    run.send(20, exited('redis', 0))
    assert.equal(run.phase('redis'), 'starting')
    run.send(30, exited('redis', 78))
    assert.equal(run.phase('redis'), 'parked')
    run.send(40, { type: 'restart', name: 'redis', budgetMs: 1_000 })
    assert.equal(run.phase('redis'), 'starting')
    run.send(50, exited('redis', 1))
    assert.equal(run.phase('redis'), 'backoff', 'a person asked, so it is not on its last try')
  })
})
