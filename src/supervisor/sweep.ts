/** Finds and ends what an earlier run of this data folder left behind. Linux only; elsewhere it finds nothing. */
import { readFileSync } from 'node:fs'
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { errnoOf } from '../lib/errors.ts'
import { findByEnvironment, identityOf, isAlive, type ProcessIdentity } from '../lib/process-tree.ts'
import { until } from '../lib/until.ts'

export type Survivor = ProcessIdentity & { command: string }

export type EndOptions = {
  /** Leave out this run's own processes. */
  exceptRunId?: string
  /** Commands that get TERM first, because they save on it. */
  termFirst?: readonly string[]
  /** For TERM; what is left then is killed and gets as long again. */
  timeoutMs?: number
}

/** The processes that carry this data folder's id in their environment. */
export async function findSurvivors(dataId: string, exceptRunId?: string): Promise<Survivor[]> {
  const [all, own] = await Promise.all([
    findByEnvironment(CHILD_ENVIRONMENT.dataId, dataId),
    exceptRunId === undefined ? [] : findByEnvironment(CHILD_ENVIRONMENT.runId, exceptRunId),
  ])
  const kept = new Set(own)
  return all.filter((pid) => !kept.has(pid)).map((pid) => ({ ...identityOf(pid), command: commandOf(pid) }))
}

/** Ends them and waits until each is really gone; throws `timeout` when one is not. Gives what was ended. */
export async function endSurvivors(dataId: string, options: EndOptions = {}): Promise<Survivor[]> {
  const found = await findSurvivors(dataId, options.exceptRunId)
  const timeoutMs = options.timeoutMs ?? 5_000
  const gentle = found.filter((who) => options.termFirst?.includes(who.command))
  const harsh = found.filter((who) => !gentle.includes(who))
  end(harsh, 'SIGKILL')
  end(gentle, 'SIGTERM')
  await gone(gentle, timeoutMs).catch(() => end(gentle, 'SIGKILL')) // late: the next wait is the strict one
  await gone(found, timeoutMs)
  return found
}

function end(all: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const who of all) endOne(who, signal)
}

function endOne(who: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(who)) return
  try {
    process.kill(who.pid, signal)
    process.kill(who.pid, 'SIGCONT')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}

async function gone(who: readonly ProcessIdentity[], timeoutMs: number): Promise<void> {
  const what = `the processes of an earlier run to end (${who.map(({ pid }) => pid).join(', ')})`
  await until(() => who.every((one) => !isAlive(one)), { timeoutMs, everyMs: 10, what })
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return '' // it ended by itself
  }
}
