/** The checks behind `/readyz`: may this instance be given work? */
import { access, constants } from 'node:fs/promises'
import type { RedisHealth } from '../redis/monitor.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Phase } from './phase.ts'

export type ReadinessSources = {
  redis: () => RedisHealth
  children: () => ChildStatus[]
  groups: readonly string[]
  dataDir: string
  phase: () => Phase
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

async function diskCheck({ dataDir }: ReadinessSources): Promise<Check> {
  const writable = await access(dataDir, constants.W_OK).then(
    () => true,
    () => false,
  )
  return check('disk', writable ? null : 'the data folder cannot be written')
}

function drainCheck({ phase }: ReadinessSources): Check {
  return check('accepting', phase() === 'running' ? null : phase())
}

function check(name: string, message: string | null): Check {
  return { name, ok: message === null, message }
}
