/** A Redis of our own, as a child for the supervisor: its configuration, its readiness, its one repair. */
import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../lib/errors.ts'
import { ensureFolder, writeAtomic } from '../lib/files.ts'
import { until } from '../lib/until.ts'
import type { ChildSpec, ExitFacts } from '../supervisor/spec.ts'
import { pingRedis } from './knock.ts'
import { createPlace, type RedisPlace } from './place.ts'
import { findFreePort } from './port.ts'

export type OwnRedisOptions = {
  /** From findRedisBinary. */
  binary: string
  /** Redis keeps its files in `redis` below it. */
  dataDir: string
  /** Null = a free one. */
  port: number | null
  /** Extra variables: the ids by which a later run finds it. */
  env: Record<string, string>
  name?: string
}

/** A large append-only file takes a while to load; a Redis that is killed for it would never get through. */
const BOOT_DEADLINE_MS = 60_000

/** Writes the configuration (mode 0600, with a new password) and gives the child and the place where it will serve. */
export async function prepareOwnRedis(options: OwnRedisOptions): Promise<{ spec: ChildSpec; place: RedisPlace }> {
  const folder = await ensureFolder(join(options.dataDir, 'redis'))
  const port = options.port ?? (await findFreePort())
  const password = randomBytes(24).toString('hex')
  const file = join(folder, 'redis.conf')
  await writeAtomic(file, redisConf({ folder, port, password }), 0o600)
  const address = { host: '127.0.0.1', port }
  const spec: ChildSpec = {
    name: options.name ?? 'redis',
    group: 'redis',
    kind: 'program',
    command: { file: options.binary, args: [file], env: options.env },
    needs: [],
    ready: async (signal) => {
      const wait = { timeoutMs: BOOT_DEADLINE_MS, everyMs: 10, signal, what: 'Redis to answer' }
      await until(() => pingRedis(address, password), wait)
    },
    bootDeadlineMs: BOOT_DEADLINE_MS,
    stop: { graceMs: 5_000, signal: 'SIGTERM' },
    onParentDeath: 'TERM', // it flushes its file then
    repair: createRepair(folder),
  }
  return { spec, place: createPlace(`redis://:${password}@127.0.0.1:${port}/0`, 'spawned') }
}

/** The whole configuration, so that no default of a distribution's own file comes into play. */
export function redisConf(own: { folder: string; port: number; password: string }): string {
  return `${[
    'bind 127.0.0.1',
    `port ${own.port}`,
    `requirepass ${own.password}`,
    'daemonize no',
    'supervised no',
    'set-proc-title no', // a title overwrites the environment, by which the sweep finds our processes
    'logfile ""',
    `dir ${quoted(own.folder)}`,
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'aof-load-truncated yes',
    'maxmemory 0',
    'maxmemory-policy noeviction',
  ].join('\n')}\n`
}

/** Redis reads double-quoted strings with the escapes of C. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** What Redis says when it cannot make sense of its files; a full or failing disk sounds different. */
const CORRUPT =
  /Bad file format reading the append only file|Invalid AOF manifest|Unexpected end of file reading|AOF .* doesn't exist|Internal error in RDB|rdb file reading failure|Wrong signature trying to load DB|Can't handle RDB format/i

/** `appendonlydir` since version 7, `appendonly.aof` before. */
const FILES = ['appendonlydir', 'appendonly.aof', 'dump.rdb']

/** Redis only dispatches here, everything true is on disk: it may start empty. Once; a second time something else is wrong. */
function createRepair(folder: string): (exit: ExitFacts) => Promise<string | null> {
  let done = false
  return async (exit) => {
    const complaint = exit.lines.find((line) => CORRUPT.test(line))
    if (done || exit.code === 0 || complaint === undefined) return null
    done = true
    const aside = await ensureFolder(join(folder, `corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`))
    for (const name of FILES) await moveIfThere(join(folder, name), join(aside, name))
    return `could not read its files (${complaint.trim()}); they were moved to ${aside} and it starts empty`
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
