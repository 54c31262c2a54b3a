/** A process that a benchmark starts: it dies with the benchmark, and whoever started it ends it. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AppError } from '../../src/lib/errors.ts'
import { endGroup } from '../../src/lib/process-tree.ts'
import { spawnTethered } from '../../src/lib/tether.ts'
import { within } from '../../src/lib/until.ts'

export const ROOT = join(import.meta.dirname, '../..')

export type Program = {
  readonly pid: number
  /** `performance.now()` right before it was started. */
  readonly startedMs: number
  /** What it has said on standard output. */
  readonly lines: readonly string[]
  /** The end of what it has said on standard error. */
  errors(): string
  /** The first line, old or new, for which `accept` gives something. */
  waitFor<T>(accept: (line: string) => T | undefined, timeoutMs?: number): Promise<T>
  tell(line: string): void
  /** Sends the signal and gives the milliseconds until it has exited; throws when its exit code is not 0. */
  end(signal: NodeJS.Signals): Promise<number>
  /** SIGKILL to its whole group. */
  [Symbol.asyncDispose](): Promise<void>
}

export type ProgramOptions = { env?: Record<string, string>; cwd?: string }

const READY_MS = 30_000
const END_MS = 30_000

export function startProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const env = { ...plainEnvironment(), ...options.env }
  const startedMs = performance.now()
  const child = spawnTethered(file, args, { cwd: options.cwd ?? ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] })
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {}) // those who wait for something of it hear of it
  const output = listen(child)
  const exited = once(child, 'exit').then(() => {})
  exited.catch(() => {}) // an error at start is told by `failed`
  return {
    pid: child.pid ?? 0,
    startedMs,
    lines: output.lines,
    errors: output.errors,
    waitFor: (accept, timeoutMs = READY_MS) => Promise.race([firstLine(child, output, { accept, timeoutMs }), failed]),
    tell: (line) => void child.stdin.write(`${line}\n`),
    async end(signal) {
      const fromMs = performance.now()
      child.kill(signal)
      if (
        (await within(
          exited.then(() => 'exited'),
          END_MS,
          'late',
        )) === 'late'
      )
        throw new AppError('timeout', `${[file, ...args].join(' ')} did not end within ${END_MS} ms`)
      if (child.exitCode !== 0) {
        const how = child.signalCode ?? `exit code ${child.exitCode}`
        throw new AppError('program_failed', `${[file, ...args].join(' ')} ended by ${how}: ${output.errors()}`)
      }
      return performance.now() - fromMs
    },
    async [Symbol.asyncDispose]() {
      if (child.pid) await endGroup(child.pid)
    },
  }
}

/** This Node with a TypeScript program, as the package's scripts call it. */
export function startNode(path: string, args: readonly string[] = [], options: ProgramOptions = {}): Program {
  return startProgram(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], options)
}

/** The user's own settings must not change what is measured. */
function plainEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

type Output = { lines: string[]; onLine: Set<() => void>; errors(): string }

function listen(child: ChildProcess): Output {
  const output = { lines: [] as string[], onLine: new Set<() => void>(), errors: () => errors.trim() }
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2_000)
  })
  createInterface({ input: child.stdout! }).on('line', (line) => {
    output.lines.push(line)
    for (const tell of output.onLine) tell()
  })
  return output
}

type Wish<T> = { accept: (line: string) => T | undefined; timeoutMs: number }

/** Looks when a line comes, so that what is timed is not rounded up to a polling interval. */
async function firstLine<T>(child: ChildProcess, output: Output, { accept, timeoutMs }: Wish<T>): Promise<T> {
  const found = Promise.withResolvers<T>()
  let read = 0
  const look = () => {
    for (; read < output.lines.length; read++) {
      const value = accept(output.lines[read]!)
      if (value !== undefined) return found.resolve(value)
    }
  }
  const gone = () => found.reject(new AppError('program_failed', `A program ended too early: ${output.errors()}`))
  output.onLine.add(look)
  child.once('close', gone)
  look()
  try {
    const value = await within(found.promise, timeoutMs, LATE)
    if (value === LATE) throw new AppError('timeout', `A program did not say what was waited for: ${output.errors()}`)
    return value as T
  } finally {
    output.onLine.delete(look)
    child.off('close', gone)
  }
}

const LATE = Symbol('late')
