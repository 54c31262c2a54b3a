/** Runs one test file in a process group of its own, which cannot outlive its limit. */
import { spawn } from 'node:child_process'

export type Counts = { tests: number; passed: number; failed: number; skipped: number }
export type FileResult = { file: string; ok: boolean; counts: Counts; seconds: number; output: string }
export type FileOptions = { cwd: string; limitMs: number; name?: string; signal: AbortSignal }

/** A test that hangs fails by name at the limit; what then still holds the process open is killed so much later. */
const GRACE_MS = 3_000

export async function runTestFile(file: string, { cwd, limitMs, name, signal }: FileOptions): Promise<FileResult> {
  const startedMs = performance.now()
  const args = ['--disable-warning=ExperimentalWarning', '--test-reporter=spec', `--test-timeout=${limitMs}`]
  if (name !== undefined) args.push(`--test-name-pattern=${name}`)
  const child = spawn(process.execPath, [...args, file], { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const kill = (why: string) => () => {
    output += `\n${file} ${why}\n`
    killGroup(child.pid)
  }
  const onAbort = kill('was interrupted')
  signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(kill(`did not end within ${limitMs / 1000} s, and was killed`), limitMs + GRACE_MS)
  // Not `close`: a process that the file has left behind may hold its output open.
  const code = await new Promise((resolve) => child.once('exit', resolve).once('error', () => resolve(1)))
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
  killGroup(child.pid)
  return {
    file,
    ok: code === 0,
    counts: countsIn(output, code === 0),
    seconds: (performance.now() - startedMs) / 1000,
    output,
  }
}

/** From the summary that the reporter prints last; a file that did not get so far is one failure. */
export function countsIn(output: string, ok: boolean): Counts {
  const count = (word: string) => Number(output.match(new RegExp(`^ℹ ${word} (\\d+)$`, 'm'))?.[1] ?? 0)
  const counts = {
    tests: count('tests'),
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  }
  if (ok || counts.failed > 0) return counts
  return { ...counts, tests: counts.tests + 1, failed: 1 }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has gone, as it should.
  }
}
