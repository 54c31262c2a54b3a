/** The checks behind `/readyz`: may this instance be given work? */
import { access, constants, statfs } from 'node:fs/promises'
import { messageOf } from '../lib/errors.ts'
import type { RedisHealth } from '../redis/monitor.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Phase } from './phase.ts'

export type ReadinessSources = {
  redis: () => RedisHealth
  children: () => ChildStatus[]
  groups: readonly string[]
  dataDir: string
  phase: () => Phase
  /** In bytes; as the file system says, when not given. */
  freeBytes?: (folder: string) => Promise<number>
}

type Check = { name: string; ok: boolean; message: string | null }

export function createReadiness(sources: ReadinessSources): () => Promise<{ ok: boolean; checks: Check[] }> {
  return async () => {
    const checks = [redisCheck(sources), workerCheck(sources), await diskCheck(sources), drainCheck(sources)]
    return { ok: checks.every((c) => c.ok), checks }
  }
}

function redisCheck({ redis }: ReadinessSources): Check {
  const { running, since, refusal } = redis()
  return check('redis', running ? refusal : `no answer since ${since}`)
}

function workerCheck({ children, groups }: ReadinessSources): Check {
  const all = children()
  const away = groups.filter((group) => !all.some((c) => c.group === group && c.ready))
  return check('workers', away.length === 0 ? null : `no ready process in ${away.join(', ')}`)
}

/**
 * A few turns of the journals, the state files (each is written beside the old one) and the file of Redis fit into
 * this; with less, work that is taken now is likely to stand still soon.
 */
const LEAST_FREE_BYTES = 32 * 1024 ** 2

/** Whoever may write everything (root) may do so on a full disk, too: only the room tells. */
async function diskCheck({ dataDir, freeBytes = freeIn }: ReadinessSources): Promise<Check> {
  try {
    await access(dataDir, constants.W_OK)
    const free = await freeBytes(dataDir)
    return check('disk', free < LEAST_FREE_BYTES ? `only ${Math.floor(free / 1024 ** 2)} MB are free` : null)
  } catch (error) {
    return check('disk', `the data folder cannot be written: ${messageOf(error)}`)
  }
}

/** Some file systems, those over a network above all, do not tell their size: then there is room until a write fails. */
async function freeIn(folder: string): Promise<number> {
  const { blocks, bavail, bsize } = await statfs(folder)
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
}

function drainCheck({ phase }: ReadinessSources): Check {
  return check('accepting', phase() === 'running' ? null : phase())
}

function check(name: string, message: string | null): Check {
  return { name, ok: message === null, message }
}
