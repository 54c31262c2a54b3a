/** Nothing can be opened any more: what has to start a program fails as itself, nobody else, and recovers. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { preloadEnv } from '../helpers/preload.ts'

const SCRIPT = fileURLToPath(new URL('../fixtures/children/out-of-descriptors.ts', import.meta.url))
const SENTENCE = 'No program can be started: too many files are open'

for (const [where, env] of [
  ['with setpriv', {}],
  ['without it', preloadEnv('no-death-signal')],
] as const)
  test(`out of descriptors, ${where}: a child is tried again, a program is refused as worth another try`, async () => {
    const command = ['-c', 'ulimit -n 60; exec "$0" "$@"', process.execPath, SCRIPT]
    const options = { env: { ...process.env, ...env }, timeout: 60_000 }
    const { stdout } = await promisify(execFile)('sh', command, options)
    assert.deepEqual(JSON.parse(stdout), {
      execution: { code: 'program_failed', retryable: true, message: SENTENCE },
      exits: ['was ended by SIGKILL', SENTENCE, SENTENCE],
      stdout: 'again\n',
    })
  })
