/** Finds a Redis server program: installed, cached, or as the last resort downloaded and compiled. */
import { fileURLToPath } from 'node:url'
import { AppError, messageOf } from '../lib/errors.ts'
import { exec } from '../lib/exec.ts'
import { installHint, readPlatform } from '../lib/install-hint.ts'
import { isRecent } from './check.ts'

export type FindBinaryOptions = {
  /** Told before something that takes minutes. */
  onProgress(sentence: string): void
  signal?: AbortSignal
  /** Added to the environment of a build, which runs for minutes. */
  env?: Record<string, string>
  /** In order of preference. */
  programs?: readonly string[]
  /** The last resort: a program that prints, in its last line, where the server is that it has built; null = none. */
  build?: string | null
}

const PROGRAMS = ['redis-server', 'valkey-server'] as const
const VERSION_TIMEOUT_MS = 5_000
const BUILD_TIMEOUT_MS = 15 * 60_000
/** It has nothing to save, and a second Ctrl+C comes half a second later. */
const BUILD_KILL_MS = 300
const BUILD_PROGRAM = fileURLToPath(new URL('./build-child.ts', import.meta.url))

/** A name on the PATH, or a path. Throws `missing_program` with this system's install command. */
export async function findRedisBinary(options: FindBinaryOptions): Promise<string> {
  const flaws: string[] = []
  for (const program of options.programs ?? PROGRAMS) {
    const flaw = await flawOf(program, options.signal)
    if (flaw === null) return program
    flaws.push(flaw)
  }
  const { build = BUILD_PROGRAM } = options
  if (build === null) throw await missing(flaws)
  options.onProgress(`${flaws.join('; ')}: looking for a cached build, else downloading and compiling Redis (minutes)`)
  try {
    return await runBuild(build, options)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw await missing([...flaws, `a build failed (${messageOf(error)})`], error)
  }
}

/** In a process of its own: its compilers belong to its group, and end with it. */
async function runBuild(program: string, { signal, env }: FindBinaryOptions): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', program]
  const limits = { timeoutMs: BUILD_TIMEOUT_MS, killAfterMs: BUILD_KILL_MS }
  const { stdout } = await exec(process.execPath, args, { signal, env, ...limits })
  return stdout.trim().split('\n').at(-1)!
}

/** Null when the program can be used. */
async function flawOf(program: string, signal: AbortSignal | undefined): Promise<string | null> {
  try {
    const { stdout } = await exec(program, ['--version'], { signal, timeoutMs: VERSION_TIMEOUT_MS })
    const version = stdout.match(/\bv=([\d.]+)/)?.[1] ?? ''
    return isRecent(version) ? null : `${program} is version ${version || 'unknown'}, too old`
  } catch (error) {
    signal?.throwIfAborted()
    return messageOf(error)
  }
}

async function missing(flaws: string[], cause?: unknown): Promise<AppError> {
  const hint = installHint('redis-server', await readPlatform())
  return new AppError(
    'missing_program',
    `No Redis server can be started: ${flaws.join('; ')}. To install one: ${hint}`,
    {
      cause,
    },
  )
}
