/** Runs an external program: argument array, deadline, signal, bounded output, typed failure. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { AppError, errnoOf, messageOf } from './errors.ts'
import { isGroupEmpty, signalGroup } from './process-tree.ts'
import { spawnTethered } from './tether.ts'
import { twoTurns, within } from './until.ts'

export type ExecOptions = {
  cwd?: string
  /** Added to the inherited environment. */
  env?: Record<string, string>
  /** Written to standard input, which is then closed. */
  input?: string | Uint8Array
  signal?: AbortSignal
  timeoutMs?: number
  /** Between SIGTERM and SIGKILL when aborted or late. */
  killAfterMs?: number
  /** 0–19, as nice(1). */
  nice?: number
  onLine?: (line: string) => void
  /** Standard output and error are each kept up to so many bytes; the last ones win for errors. */
  maxOutputBytes?: number
}

export type ExecResult = { stdout: string; stderr: string; durationMs: number }

/**
 * Runs `file` to its end and gives its output. Throws `missing_program` (not installed), `timeout`,
 * the signal's reason (aborted), or `program_failed` with exit code, signal and the end of stderr.
 */
export async function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
  options.signal?.throwIfAborted()
  const startedMs = performance.now()
  const child = start(file, args, options)
  const ended = exited(child, file)
  const output = collect(child, options)
  const ending = endOnAbort(child, options)
  try {
    const { code, signal } = await ended
    endRest(child)
    await readRest(Promise.race([output.done, ending.begun]))
    ending.throwIfEnded(file)
    if (code !== 0) throw failure(file, { code, signal, stderr: output.stderr() })
    return { stdout: output.stdout(), stderr: output.stderr(), durationMs: performance.now() - startedMs }
  } finally {
    ending.dispose()
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

/** Output of a program that has ended is waited for no longer than this: a stranger may hold its pipe. */
const FLUSH_MS = 1_000

/** A loop that was blocked meanwhile may have the rest still before it. */
async function readRest(done: Promise<unknown>): Promise<void> {
  const late = await within(done, FLUSH_MS, 'late' as const)
  if (late === 'late') await twoTurns()
}

/** A grandchild that outlived its parent belongs to nobody. */
function endRest({ pid }: ChildProcess): void {
  if (pid && !isGroupEmpty(pid)) signalGroup(pid, 'SIGKILL')
}

/** Our own environment with `extra` on top: what a child process gets. */
export function inheritedEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...extra }
}

function start(file: string, args: readonly string[], options: ExecOptions): ChildProcess {
  const child = launch(file, args, options)
  child.stdin?.on('error', () => {}) // the program may end without reading all; its exit code tells
  child.stdin?.end(options.input)
  return child
}

function launch(file: string, args: readonly string[], options: ExecOptions): ChildProcess {
  try {
    return spawnTethered(file, args, {
      cwd: options.cwd,
      env: inheritedEnv(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      nice: options.nice,
    })
  } catch (error) {
    throw missing(file, error) // some errnos throw, others are events
  }
}

function collect(child: ChildProcess, options: ExecOptions) {
  const max = options.maxOutputBytes ?? 4 * 1024 * 1024
  const out: string[] = []
  let outBytes = 0
  let err = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-Math.min(max, 64 * 1024))
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  if (options.onLine) createInterface({ input: child.stdout! }).on('line', options.onLine)
  else
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      outBytes += text.length
      if (outBytes <= max) out.push(text)
    })
  return { stdout: () => out.join(''), stderr: () => err, done: ended }
}

function exited(child: ChildProcess, file: string): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(missing(file, error)))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

/** What the machine has too few of now it may have later: descriptors, processes, memory. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])

function missing(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  if (errnoOf(error) === 'ENOENT') return new AppError('missing_program', `${file} is not installed`, { cause: error })
  return new AppError('program_failed', `${file} could not be started: ${messageOf(error)}`, {
    cause: error,
    retryable: SHORTAGES.has(errnoOf(error) ?? ''),
  })
}

/** The last line of stderr says why, for nearly every program that we run. */
function failure(file: string, facts: { code: number | null; signal: string | null; stderr: string }): AppError {
  // The shell and nice answer 127 and 126 for a program that they cannot execute.
  if (facts.code === 127) return new AppError('missing_program', `${file} is not installed`, { details: facts })
  const why = facts.signal ? `was ended by ${facts.signal}` : `exited with code ${facts.code}`
  const last = facts.stderr.trim().split('\n').at(-1) ?? ''
  return new AppError('program_failed', `${file} ${why}${last ? `: ${last}` : ''}`, {
    details: { exit_code: facts.code, signal: facts.signal, stderr: facts.stderr.slice(-4_000) },
  })
}

/** TERM to the group on abort or timeout, then KILL; every timer ends with `dispose`. */
function endOnAbort(child: ChildProcess, options: ExecOptions) {
  let reason: 'aborted' | 'late' | undefined
  let kill: NodeJS.Timeout | undefined
  const begun = Promise.withResolvers<void>()
  const toGroup = (signal: NodeJS.Signals) => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null // then its number may be another's
    if (child.pid && !hasEnded) signalGroup(child.pid, signal)
  }
  const end = (why: 'aborted' | 'late') => {
    if (reason) return
    reason = why
    begun.resolve()
    toGroup('SIGTERM')
    kill = setTimeout(() => toGroup('SIGKILL'), options.killAfterMs ?? 1_000)
  }
  const onAbort = () => end('aborted')
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => end('late'), options.timeoutMs)
  return {
    /** Resolves when the program was to be ended. */
    begun: begun.promise,
    throwIfEnded(file: string) {
      if (reason === 'aborted') options.signal?.throwIfAborted()
      if (reason === 'late') throw new AppError('timeout', `${file} did not end within ${options.timeoutMs} ms`)
    },
    dispose() {
      clearTimeout(timer)
      clearTimeout(kill)
      options.signal?.removeEventListener('abort', onAbort)
    },
  }
}
