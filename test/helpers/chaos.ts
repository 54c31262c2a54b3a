/** The command `chaos` as a process, in a temp folder of its own, by which all that it starts can be found. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { within } from '../../src/lib/until.ts'
import { processesWith } from './processes.ts'
import { ROOT } from './program.ts'
import { tempFolder } from './temp.ts'

export type Ended = { code: number | null; stdout: string; stderr: string }
export type Running = { child: ChildProcess; ended(timeoutMs: number): Promise<Ended>; temp: string }

export async function chaos(
  t: TestContext,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const temp = await tempFolder(t, 'showrunner-chaos-test-')
  const { PATH = '', HOME = '' } = process.env
  const argv = ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'chaos', ...args]
  const child = spawn(process.execPath, argv, { cwd: ROOT, env: { PATH, HOME, TMPDIR: temp, ...env }, stdio: 'pipe' })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.after(() => {
    for (const { pid } of processesWith('TMPDIR', temp)) process.kill(pid, 'SIGKILL')
  })
  return {
    child,
    temp,
    async ended(timeoutMs) {
      const code = await within(closed, timeoutMs, 'late' as const)
      if (code === 'late') throw new Error(`It did not end within ${timeoutMs} ms:\n${output.stderr}${output.stdout}`)
      assert.deepEqual(processesWith('TMPDIR', temp), [], 'processes are left')
      return { code, ...output }
    },
  }
}
