/** The user of a soak is patient with a slow start, and starts again whatever has ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeeper } from '../../src/chaos/keeper.ts'
import type { Exit, Program } from '../../src/chaos/program.ts'
import type { Instance } from '../../src/chaos/rig.ts'
import { AppError } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'

test('a start that takes longer than one wait is waited for again, and serves', async () => {
  const over = new AbortController()
  const ended = Promise.withResolvers<Exit>()
  const program = { facts: [], exit: ended.promise, exited: () => null, tail: () => '' } as unknown as Program
  let waits = 0
  const serving = async () => {
    waits += 1
    if (waits < 3) throw new AppError('timeout', 'it did not serve within 30 s')
    return program as Instance
  }
  const keeper = createKeeper({ rig: { launch: () => program, serving }, signal: over.signal, onEnd: assert.fail })
  await until(() => keeper.serving(), { timeoutMs: 10_000, everyMs: 5 })
  assert.deepEqual([keeper.serving(), keeper.starts(), waits], [program, 1, 3])
  keeper.rest()
  over.abort()
  ended.resolve({ code: 0, signal: null })
})
