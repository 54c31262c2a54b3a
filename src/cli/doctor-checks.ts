/** What `doctor` looks at, one function each. They report, and never throw. */
import { rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { AppError, messageOf } from '../lib/errors.ts'
import { exec } from '../lib/exec.ts'
import { ensureFolder, writeSynced } from '../lib/files.ts'
import { installHint, readPlatform } from '../lib/install-hint.ts'
import { ownerOfPort } from '../lib/process-tree.ts'
import { findRedisBinary } from '../redis/binary.ts'
import { locateRedis } from '../redis/locate.ts'
import { connect } from './connection.ts'
import { bytesText } from './text.ts'

export type Check = { name: string; level: 'ok' | 'warning' | 'failed'; message: string }

const OLDEST_NODE = [24, 9] as const
/** A video of a few minutes takes some hundred megabytes while it is made. */
const LOW_DISK_BYTES = 1024 ** 3
const PROGRAM_TIMEOUT_MS = 10_000

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  const message = recent ? version : `${version} is too old; needed: ${OLDEST_NODE.join('.')} or newer`
  return { name: 'node', level: recent ? 'ok' : 'failed', message }
}

export async function checkFolder(dataDir: string): Promise<Check> {
  const name = 'data folder'
  try {
    const probe = join(await ensureFolder(dataDir), `.doctor.${process.pid}`)
    await writeSynced(probe, 'written to see whether that works')
    await rm(probe)
    const { bavail, bsize } = await statfs(dataDir)
    const free = bavail * bsize
    const level = free < LOW_DISK_BYTES ? 'warning' : 'ok'
    return { name, level, message: `${dataDir}, ${bytesText(free)} free` }
  } catch (error) {
    return { name, level: 'failed', message: `${dataDir} cannot be written: ${messageOf(error)}` }
  }
}

export async function checkServer(config: Config, signal: AbortSignal): Promise<Check> {
  const name = 'server'
  const running = await runningUrl(config, signal)
  if (running !== undefined) return { name, level: 'ok', message: `runs at ${running}` }
  if (config.port === 0) return { name, level: 'ok', message: 'not running; PORT=0: a free port will be chosen' }
  const owner = ownerOfPort(config.port)
  if (owner === undefined) return { name, level: 'ok', message: `not running; port ${config.port} is free` }
  return { name, level: 'failed', message: `port ${config.port} is taken by ${owner}; set PORT to another` }
}

async function runningUrl(config: Config, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { url, client } = await connect(config, undefined)
    await client.livez({ signal })
    return url
  } catch {
    return undefined // whatever the reason: it does not run, which is what we were asked
  }
}

export async function checkRedis({ redis }: Config, signal: AbortSignal): Promise<Check> {
  const name = 'redis'
  try {
    if (redis.mode === 'attach' || (redis.mode === 'auto' && redis.url !== null)) {
      const location = await locateRedis(redis, { onProgress() {}, signal })
      return { name, level: 'ok', message: location.mode === 'attach' ? location.place.describe() : location.why }
    }
    // Building one takes minutes: that is for the start, not for an examination.
    const binary = await findRedisBinary({ onProgress() {}, signal, build: null })
    return { name, level: 'ok', message: `${binary} is installed` }
  } catch (error) {
    return { name, level: 'failed', message: messageOf(error) }
  }
}

type ProgramFacts = { file: string | null; args: string[]; signal: AbortSignal; level: 'warning' | 'failed' }

export async function checkProgram(name: string, { file, args, signal, level }: ProgramFacts): Promise<Check> {
  try {
    const { stdout } = await exec(file ?? name, args, { signal, timeoutMs: PROGRAM_TIMEOUT_MS })
    return { name, level: 'ok', message: stdout.split('\n')[0]?.trim() || 'installed' }
  } catch (error) {
    const isMissing = error instanceof AppError && error.code === 'missing_program'
    const hint = isMissing && file === null ? `; to install it: ${installHint(name, await readPlatform())}` : ''
    return { name, level, message: messageOf(error) + hint }
  }
}

export function checkProvider({ openai }: Config): Check {
  const name = 'provider'
  if (openai.apiKey === null && openai.baseUrl === null)
    return { name, level: 'ok', message: 'built-in; for models set OPENAI_API_KEY or OPENAI_BASE_URL' }
  return { name, level: 'ok', message: openai.baseUrl === null ? 'OpenAI' : plain(openai.baseUrl) }
}

/** Behind the question mark there may be a key. */
function plain(address: string): string {
  const { origin, pathname } = new URL(address)
  return origin + pathname
}
