/** The deadline of a stop: waits end by it, impatience lowers it, and a time in which we were suspended does not count. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FULL, HURRY } from '../../src/launch/stop-budget.ts'
import { createStopClock } from '../../src/launch/stop-clock.ts'

const NEVER = new Promise<void>(() => {})

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let nowMs = 5_000
  const clock = createStopClock(FULL, () => nowMs)
  t.after(clock.end)
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      nowMs += 50
      t.mock.timers.tick(50)
    }
    for (let i = 0; i < 5; i++) await Promise.resolve()
  }
  const suspend = (ms: number) => {
    nowMs += ms
    t.mock.timers.tick(50)
  }
  /** Before the next beat. */
  const wake = (ms: number) => {
    nowMs += ms
  }
  return { ...clock, pass, suspend, wake }
}

/** What has become of it so far. */
function watch(promise: Promise<boolean>): () => boolean | string {
  let is: boolean | string = 'waits'
  void promise.then((value) => {
    is = value
  })
  return () => is
}

test('a wait ends with its work', async (t) => {
  const { by } = open(t)
  assert.equal(await by('api', Promise.resolve()), true)
  await assert.rejects(by('api', Promise.reject(new Error('early'))), /early/)
})

test('a wait ends when its part has to be over', async (t) => {
  const { by, pass } = open(t)
  const state = watch(by('work', NEVER))
  await pass(23_900)
  assert.equal(state(), 'waits')
  await pass(200)
  assert.equal(state(), false)
})

test('hurried: waits that go on already end sooner, and what comes next gets less', async (t) => {
  const { by, pass, lower, leftMs, signal } = open(t)
  const state = watch(by('redis', NEVER))
  const over = signal('notes')
  await pass(3_000)
  lower(HURRY)
  assert.ok(leftMs('sweep') <= 1_900)
  await pass(1_350)
  assert.deepEqual([state(), over.aborted], ['waits', true])
  await pass(400)
  assert.equal(state(), false)
  await pass(300)
  assert.equal(leftMs('sweep'), 0)
})

test('patience does not prolong it', (t) => {
  const { lower, leftMs } = open(t)
  lower(HURRY)
  const left = leftMs('sweep')
  lower(FULL)
  assert.equal(leftMs('sweep'), left)
})

test('a time in which we were suspended does not count', (t) => {
  const { suspend, leftMs } = open(t)
  const left = leftMs('work')
  suspend(60_000)
  assert.equal(leftMs('work'), left)
})

test('hurried in the very moment after a suspension: that is not put off by it', async (t) => {
  const { wake, lower, pass, leftMs } = open(t)
  wake(60_000)
  lower(HURRY)
  await pass(50)
  assert.ok(leftMs('sweep') <= 1_900, `${leftMs('sweep')} ms`)
})
