/** The guardian is only a second net: that it cannot be had at the moment is no reason to fall. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { startGuardian } from '../../src/supervisor/guardian.ts'
import { guardianOf, isGone } from '../helpers/processes.ts'

/** More than one argument or variable may hold (execve(2), MAX_ARG_STRLEN): then `spawn` throws, as it does for want of memory. */
const TOO_MUCH = 'x'.repeat(200_000)
const WAIT = { timeoutMs: 20_000, everyMs: 10 }

test('no shell can be started, and then can be: the next one comes, and goes home', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const guardian = startGuardian('guardian-test', [])
  t.after(guardian.release)
  const first = await until(() => guardianIfAny(), WAIT) // `spawn` returns a moment before it has its name
  t.after(() => delete process.env.TEST_TOO_MUCH)
  process.env.TEST_TOO_MUCH = TOO_MUCH
  const tries = countTries(t)
  process.kill(first, 'SIGKILL')
  await until(() => tries() >= 2, WAIT)
  delete process.env.TEST_TOO_MUCH
  const second = await until(() => guardianIfAny(), WAIT)
  await guardian.release()
  assert.ok(isGone(second))
})

test('none can be started from the beginning: nothing throws, and there is nothing to release', async () => {
  const guardian = startGuardian(TOO_MUCH, [])
  await guardian.release()
})

/** How often this process began to start one from now on. */
function countTries(t: TestContext): () => number {
  let tries = 0
  const onStart = () => void tries++
  subscribe('child_process', onStart)
  t.after(() => unsubscribe('child_process', onStart))
  return () => tries
}

function guardianIfAny(): number | undefined {
  try {
    return guardianOf(process.pid)
  } catch {
    return undefined // not yet
  }
}
