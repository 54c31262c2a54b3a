/** A program ends with the process that has started it, even when that is killed in the instant of the start. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { until } from '../../src/lib/until.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { processesWith } from '../helpers/processes.ts'

const MAKER = fileURLToPath(new URL('../fixtures/children/orphan-maker.ts', import.meta.url))
const MARK = 'ORPHAN_TEST'
/** Without a check about every tenth program outlives its parent. */
const TRIES = 80

for (const [where, env] of [
  ['where the kernel tells of the end of a parent', {}],
  ['where it does not', preloadEnv('no-death-signal')],
] as const)
  test(`no program outlives a parent that was killed while it started it, ${where}`, async (t) => {
    const id = randomUUID()
    t.after(() => {
      for (const { pid } of processesWith(MARK, id)) process.kill(pid, 'SIGKILL')
    })
    await mapLimit(Array.from({ length: TRIES }), 4, async () => {
      const maker = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAKER], {
        stdio: 'ignore',
        env: { ...process.env, ...env, [MARK]: id },
      })
      const [, signal] = await once(maker, 'exit')
      assert.equal(signal, 'SIGKILL', 'the parent has come to its end')
    })
    await until(() => processesWith(MARK, id).length === 0, { timeoutMs: 10_000, what: 'all programs to be gone' })
  })
