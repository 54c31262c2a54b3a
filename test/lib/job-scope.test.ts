import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { exec } from '../../src/lib/exec.ts'
import { createScope, endPrograms, type JobScope, runInScope } from '../../src/lib/job-scope.ts'
import { descendantsOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { untilGone } from '../helpers/processes.ts'

/** What a debugger evaluates. */
const NAME = Symbol.for('showrunner.scope')
const MISSING = '/there/is/no/such/program'

function taskOfDebugger(): string | undefined {
  const home = globalThis as { [NAME]?: { getStore(): { taskId: string } | undefined } }
  return home[NAME]?.getStore()?.taskId
}

async function sleeping(t: TestContext, start: () => ChildProcess): Promise<ChildProcess> {
  const program = start()
  t.after(() => void program.kill('SIGKILL'))
  await once(program, 'spawn')
  return program
}

test('each of two jobs at once finds its own task, also behind timers and promises; outside there is none', async () => {
  const seen = async (task: string) => {
    const found: (string | undefined)[] = []
    await runInScope(createScope(task), async () => {
      found.push(taskOfDebugger())
      await setImmediate()
      await Promise.all([1, 2].map(async () => found.push(taskOfDebugger())))
      await new Promise<void>((resolve) => setTimeout(() => resolve(void found.push(taskOfDebugger())), 1))
    })
    return found
  }
  assert.deepEqual(await Promise.all([seen('a'), seen('b')]), [Array(4).fill('a'), Array(4).fill('b')])
  assert.equal(taskOfDebugger(), undefined)
})

test('only the programs of the job that is over are killed, with their descendants', async (t) => {
  const [mine, others] = [createScope('mine'), createScope('others')]
  const start = (scope: JobScope, begin: () => ChildProcess) => runInScope(scope, () => sleeping(t, begin))
  const other = await start(others, () => spawn('sleep', ['600']))
  const outside = await sleeping(t, () => spawn('sleep', ['600']))
  const plain = await start(mine, () => spawn('sleep', ['600']))
  const own = await start(mine, () => spawn('sleep', ['600'], { detached: true }))
  const shell = await start(mine, () => execFile('sh', ['-c', 'sleep 600; true']))
  const grandchild = await until(() => descendantsOf(shell.pid!)[0], { timeoutMs: 10_000 })
  endPrograms(mine)
  await untilGone([plain, own, shell].map(({ pid }) => pid!))
  await untilGone([grandchild])
  assert.deepEqual(
    [other, outside].map((program) => [program.exitCode, program.signalCode]),
    [
      [null, null],
      [null, null],
    ],
  )
})

test('a program of exec is one of the job, and what the job starts afterwards is killed as well', async (t) => {
  const scope = createScope('late')
  const running = runInScope(scope, () => exec('sleep', ['600']))
  await until(() => scope.programs.size === 1, { timeoutMs: 10_000 })
  endPrograms(scope)
  await assert.rejects(running, { code: 'program_failed' })
  const late = await runInScope(scope, () => sleeping(t, () => spawn('sleep', ['600'])))
  await untilGone([late.pid!])
})

test('a program that has ended, or could not be started, is forgotten or harmless', async () => {
  const scope = createScope('short')
  await runInScope(scope, async () => {
    await exec('true', [])
    await assert.rejects(once(spawn(MISSING), 'spawn'), { code: 'ENOENT' })
  })
  assert.ok([...scope.programs].every(({ pid }) => pid === undefined))
  endPrograms(scope)
})
