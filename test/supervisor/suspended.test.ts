/** A supervisor that did not run for a while in the middle of a stop, as after Ctrl+Z and fg, gives nobody up for that. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { nodeSpec } from '../fixtures/children/specs.ts'
import { setUp } from './running.ts'

/** Longer than a kill is waited for, after the later of the deadlines. */
const PAUSE_MS = 7_200

test('suspended until long after the deadline: what is killed only then is waited for', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('deaf', { mode: 'deaf' })])
  await supervisor.start()
  const stopped = supervisor.stop(['deaf'], { deadlineMs: performance.now() + 1_000 })
  assert.ok(supervisor.killInMs('deaf')! > 100)
  suspend()
  await stopped
  assert.equal(of('child_stopped')[0]?.forced, true)
})

test('suspended right after the kill: its success is still seen', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('deaf', { mode: 'deaf' })])
  await supervisor.start()
  const stopped = supervisor.stop(['deaf'], { deadlineMs: performance.now() + 200 })
  await until(() => supervisor.killInMs('deaf') === 0, { timeoutMs: 20_000, everyMs: 1 })
  suspend()
  await stopped
  assert.equal(of('child_stopped')[0]?.forced, true)
})

/** Timers and pipes see no difference to SIGSTOP. */
function suspend(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
}
