/** Finds a Redis server program: installed, cached, or as the last resort downloaded and compiled. */
import { AppError, messageOf } from '../lib/errors.ts'
import { exec } from '../lib/exec.ts'
import { installHint, readPlatform } from '../lib/install-hint.ts'
import { within } from '../lib/until.ts'
import { isRecent } from './check.ts'

export type FindBinaryOptions = {
  /** Told before something that takes minutes. */
  onProgress(sentence: string): void
  signal?: AbortSignal
  /** In order of preference. */
  programs?: readonly string[]
  /** The last resort; null = there is none. */
  build?: (() => Promise<string>) | null
}

const PROGRAMS = ['redis-server', 'valkey-server'] as const
const VERSION_TIMEOUT_MS = 5_000
const BUILD_TIMEOUT_MS = 15 * 60_000

/** A name on the PATH, or a path. Throws `missing_program` with this system's install command. */
export async function findRedisBinary(options: FindBinaryOptions): Promise<string> {
  const flaws: string[] = []
  for (const program of options.programs ?? PROGRAMS) {
    const flaw = await flawOf(program, options.signal)
    if (flaw === null) return program
    flaws.push(flaw)
  }
  const build = options.build === undefined ? buildWithMemoryServer : options.build
  if (build === null) throw await missing(flaws)
  options.onProgress(`${flaws.join('; ')}: looking for a cached build, else downloading and compiling Redis (minutes)`)
  try {
    return (
      (await within(build(), BUILD_TIMEOUT_MS, null)) ?? raise(`not done within ${BUILD_TIMEOUT_MS / 60_000} minutes`)
    )
  } catch (error) {
    throw await missing([...flaws, `a build failed (${messageOf(error)})`], error)
  }
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

/** It answers from its cache when it has built one before. */
async function buildWithMemoryServer(): Promise<string> {
  const { RedisBinary } = await import('redis-memory-server')
  return await RedisBinary.getPath()
}

function raise(message: string): never {
  throw new AppError('timeout', message)
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
