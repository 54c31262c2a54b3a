/** When the supervisor's decisions start children and start them again: tables without a process. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { childOf } from '../../src/supervisor/state.ts'
import { createRun, exited, REDIS, readyRun, spec, WORKER } from './reducer-run.ts'

describe('starting', () => {
  test('node children are spawned at once and get their go when what they need is ready', () => {
    const run = createRun([REDIS, WORKER])
    run.send(0, { type: 'start' })
    assert.deepEqual(run.done(), ['spawn worker', 'spawn redis'].sort())
    assert.equal(run.phase('worker'), 'waiting')
    run.send(40, { type: 'ready', name: 'redis', facts: null })
    assert.deepEqual(run.done(), ['go worker', 'tell child_ready redis'])
    run.send(90, { type: 'ready', name: 'worker', facts: null })
    assert.equal(run.phase('worker'), 'ready')
    assert.deepEqual(run.lastFact(), { type: 'child_ready', name: 'worker', ms: 90, facts: null })
  })

  test('a program is not spawned before what it needs is ready', () => {
    const run = createRun([REDIS, spec('exporter', { kind: 'program', needs: ['redis'] })])
    run.send(0, { type: 'start' })
    assert.deepEqual(run.done(), ['spawn redis'])
    run.send(10, { type: 'ready', name: 'redis', facts: null })
    assert.ok(run.done().includes('spawn exporter'))
  })

  test('the boot deadline counts from the go, and a miss is a kill and a crash', () => {
    const run = createRun([REDIS, WORKER])
    run.send(0, { type: 'start' })
    run.send(10_000, { type: 'ready', name: 'redis', facts: null })
    run.send(24_999, { type: 'tick' })
    assert.equal(run.phase('worker'), 'starting')
    run.done()
    run.send(25_000, { type: 'tick' })
    assert.deepEqual(run.done(), ['kill worker', 'tell child_boot_missed worker'])
    assert.equal(run.phase('worker'), 'killing')
    run.send(25_010, exited('worker', null))
    assert.equal(run.phase('worker'), 'backoff')
  })

  test('a late ready message changes nothing', () => {
    const run = readyRun([REDIS])
    run.send(100, { type: 'stop', names: ['redis'], budgetMs: 1_000 })
    run.send(110, { type: 'ready', name: 'redis', facts: null })
    assert.equal(run.phase('redis'), 'stopping')
  })
})

describe('crashes', () => {
  test('the first restart is at once, then delays double; the fifth crash within a minute parks, then one try per minute', () => {
    const run = readyRun([REDIS])
    let now = 999
    for (const delay of [0, 500, 1_000, 2_000]) {
      run.send(now, exited('redis', 1))
      assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'redis', afterMs: delay, free: false })
      now += delay
      if (delay > 0) run.send(now - 1, { type: 'tick' })
      assert.equal(run.phase('redis'), 'backoff', 'not a millisecond early')
      run.send(now, { type: 'tick' })
      assert.equal(run.phase('redis'), 'starting')
    }
    run.send(now, exited('redis', 1))
    assert.deepEqual(run.lastFact(), {
      type: 'child_parked',
      name: 'redis',
      reason: 'exited with code 1',
      retryMs: 60_000,
    })
    run.send(now + 60_000, { type: 'tick' })
    assert.equal(run.phase('redis'), 'starting')
    run.send(now + 60_001, exited('redis', 1))
    assert.equal(run.phase('redis'), 'parked', 'half-open: one crash is enough')
  })

  test('a minute of readiness forgets crashes, also those before a half-open try', () => {
    const run = readyRun([REDIS])
    run.send(1_000, exited('redis', 1))
    run.send(2_000, { type: 'tick' })
    run.send(2_000, { type: 'ready', name: 'redis', facts: null })
    run.send(62_000, { type: 'tick' })
    run.send(62_001, exited('redis', 1))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'redis', afterMs: 0, free: false })
  })

  test('slow crashes never park, but their delay grows to its cap', () => {
    const run = readyRun([REDIS])
    let now = 0
    for (let crash = 0; crash < 12; crash++) {
      now += 16_000
      run.send(now, exited('redis', 1))
      now += run.due()!
      run.send(now, { type: 'tick' })
      run.send(now, { type: 'ready', name: 'redis', facts: null })
    }
    now += 16_000
    run.send(now, exited('redis', 1))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'redis', afterMs: 30_000, free: false })
  })

  test('exit code 78 once it was ready is a crash like any other: a stage may have ended its process so', () => {
    const run = readyRun([REDIS])
    run.send(10, exited('redis', 78))
    assert.equal(run.phase('redis'), 'backoff')
    run.send(20, { type: 'tick' })
    run.send(30, exited('redis', 78))
    assert.equal(run.phase('redis'), 'parked', 'the next process was not ready yet')
  })

  test('exit code 78 of one that was not ready yet is never tried again', () => {
    const run = createRun([REDIS])
    run.send(0, { type: 'start' })
    run.send(10, exited('redis', 78))
    assert.deepEqual(run.lastFact(), {
      type: 'child_parked',
      name: 'redis',
      reason: 'exited with code 78',
      retryMs: null,
    })
    assert.equal(run.due(), null)
  })

  test('a clean end after long readiness is a free recycle, a quick one is a crash', () => {
    const run = readyRun([REDIS])
    run.send(5_000, exited('redis', 0))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'redis', afterMs: 0, free: true })
    run.send(5_000, { type: 'tick' })
    run.send(5_010, { type: 'ready', name: 'redis', facts: null })
    run.send(5_020, exited('redis', 0))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'redis', afterMs: 0, free: false })
  })

  test('restarts while what it needs is away are free, and wait for it', () => {
    const run = readyRun([REDIS, WORKER])
    run.send(100, exited('redis', null))
    run.send(350, { type: 'tick' })
    run.send(400, exited('worker', 1))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'worker', afterMs: 250, free: true })
    assert.deepEqual(childOf(run.state(), 'worker')?.crashesMs, [])
    run.done()
    run.send(650, { type: 'tick' })
    assert.deepEqual(run.done(), ['spawn worker'], 'it imports its modules, but gets no go')
    run.send(9_000, { type: 'ready', name: 'redis', facts: null })
    assert.equal(run.phase('worker'), 'starting')
  })

  test('a child that crashes before its go is charged even while what it needs is away', () => {
    const run = createRun([REDIS, WORKER])
    run.send(0, { type: 'start' })
    run.send(10, exited('worker', 1))
    assert.deepEqual(run.lastFact(), { type: 'child_restart_planned', name: 'worker', afterMs: 250, free: false })
  })

  test('a crash just before the end of what it needs is forgiven', () => {
    const run = readyRun([REDIS, WORKER])
    run.send(100, exited('worker', 1))
    assert.equal(childOf(run.state(), 'worker')?.crashesMs.length, 1)
    run.send(400, exited('redis', null))
    assert.deepEqual(childOf(run.state(), 'worker')?.crashesMs, [])
    assert.equal(childOf(run.state(), 'worker')?.failures, 0)
    assert.equal(childOf(run.state(), 'redis')?.crashesMs.length, 1)
  })

  test('a hung child is killed with its reason, again each second until it is gone', () => {
    const run = readyRun([REDIS])
    run.send(100, { type: 'condemned', name: 'redis', reason: 'hangs', hung: true })
    assert.deepEqual(run.actions().at(-1), { do: 'kill', name: 'redis', reason: 'hangs' })
    run.send(1_100, { type: 'tick' })
    assert.deepEqual(run.actions().at(-1), { do: 'kill', name: 'redis', reason: null })
    run.send(1_200, exited('redis', null))
    assert.equal(run.phase('redis'), 'backoff')
  })
})

test('a clock that runs backward delays nothing and hastens nothing', () => {
  const run = readyRun([REDIS])
  run.send(1_000_000, { type: 'tick' })
  run.send(1_000_000, exited('redis', 1))
  run.send(1_000_000, { type: 'tick' })
  run.send(1_000_000, exited('redis', 1))
  run.send(0, { type: 'tick' })
  assert.equal(run.phase('redis'), 'backoff')
  assert.equal(run.due(), 500)
  run.send(500, { type: 'tick' })
  assert.equal(run.phase('redis'), 'starting')
})
