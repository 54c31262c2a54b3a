/** What a child needs has gone, or is back: crashes are forgiven, and nobody stays parked for it. Without a process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childOf } from '../../src/supervisor/state.ts'
import { exited, REDIS, type Run, readyRun, WORKER } from './reducer-run.ts'

test('parked by a crash that the end of Redis explains: it waits for Redis only', () => {
  const run = readyRun([REDIS, WORKER])
  const now = crashFiveTimes(run)
  assert.equal(run.phase('worker'), 'parked')
  run.send(now + 5, exited('redis', null))
  const { phase, dueMs, crashesMs } = childOf(run.state(), 'worker')!
  assert.deepEqual([phase, dueMs, crashesMs.length], ['backoff', now + 255, 4])
  run.send(now + 300, { type: 'tick' })
  run.send(now + 600, { type: 'ready', name: 'redis', facts: null })
  assert.equal(run.phase('worker'), 'starting')
})

test('a delay that a forgiven crash has made long is shortened, a short one is not made longer', () => {
  for (const [crashes, leftMs] of [
    [4, 250],
    [1, 20],
  ] as const) {
    const run = readyRun([REDIS, WORKER])
    const now = crash(run, crashes)
    run.send(now + 5, exited('redis', null))
    assert.equal(childOf(run.state(), 'worker')!.dueMs! - (now + 5), leftMs)
    assert.equal(childOf(run.state(), 'worker')!.failures, crashes - 1)
  }
})

test('what is older than a second, and what a child said about itself, is not forgiven', () => {
  const run = readyRun([REDIS, WORKER])
  const now = crashFiveTimes(run)
  run.send(now + 1_001, exited('redis', null))
  assert.equal(run.phase('worker'), 'parked')
  const other = readyRun([REDIS, WORKER])
  other.send(10, exited('worker', 1))
  other.send(260, { type: 'tick' })
  other.send(300, exited('worker', 78))
  other.send(400, exited('redis', null))
  assert.equal(other.phase('worker'), 'parked')
  other.send(650, { type: 'tick' })
  other.send(700, { type: 'ready', name: 'redis', facts: null })
  assert.equal(other.phase('worker'), 'parked', 'also when Redis is back: only a person brings it back')
})

test('parked while what it needs was failing: it gets its try as soon as that is back, and only one', () => {
  const run = readyRun([REDIS, WORKER])
  const now = crashFiveTimes(run)
  run.send(now + 3_000, exited('redis', null))
  run.send(now + 3_250, { type: 'tick' })
  assert.equal(run.phase('worker'), 'parked')
  run.done()
  run.send(now + 4_000, { type: 'ready', name: 'redis', facts: null })
  assert.deepEqual(run.done(), ['go worker', 'spawn worker', 'tell child_ready redis'])
  run.send(now + 4_100, exited('worker', 1))
  assert.equal(run.phase('worker'), 'parked', 'one crash is enough')
})

/** Each soon after its start, so that the delays grow. Gives the time of the last one. */
function crash(run: Run, times: number): number {
  let now = 100
  for (let n = 1; n < times; n++) {
    run.send(now, exited('worker', 1))
    now += run.due()!
    run.send(now, { type: 'tick' })
    run.send(now, { type: 'ready', name: 'worker', facts: null })
    now += 100
  }
  run.send(now, exited('worker', 1))
  return now
}

function crashFiveTimes(run: Run): number {
  return crash(run, 5)
}
