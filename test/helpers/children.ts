/** The children of a running program: who they are, and that nobody but the victim was touched by a fault. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { errnoOf } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import type { Instance } from './installation.ts'

export type Child = { name: string; pid: number | null; restarts: number }

/** Redis has no count of restarts: its pid tells. */
export async function childrenOf({ api }: Instance): Promise<Child[]> {
  const { redis, worker, scheduler } = (await api.status()).data.services
  const workers = (worker.workers ?? []).map(({ name, pid, restarts }) => ({ name, pid: pid ?? null, restarts }))
  return [
    { name: 'redis', pid: redis.pid ?? null, restarts: 0 },
    ...workers,
    { name: 'scheduler', pid: scheduler.pid ?? null, restarts: scheduler.restarts ?? 0 },
  ]
}

export async function pidOf(instance: Instance, name: string): Promise<number> {
  const pid = (await childrenOf(instance)).find((child) => child.name === name)?.pid
  assert.ok(pid, `${name} runs`)
  return pid
}

/** A new process in the place of the one that had `oldPid`. */
export function untilReplaced(instance: Instance, victim: { name: string; pid: number }, timeoutMs = 30_000) {
  const probe = async () => {
    const pid = (await childrenOf(instance)).find(({ name }) => name === victim.name)?.pid
    return pid !== victim.pid && pid
  }
  return until(probe, { timeoutMs, what: `a new ${victim.name}` })
}

/** How soon the supervisor has heard of the end of a process that is gone. */
const HEARD_MS = 10_000

/**
 * All but the named ones are the same processes as before, and were never started again. One that was replaced may
 * be listed until its end was heard; a process that was touched does not get its pid back by waiting.
 */
export async function assertUntouched(instance: Instance, before: readonly Child[], except: string[] = []) {
  const others = (children: readonly Child[]) => children.filter(({ name }) => !except.includes(name))
  const look = async () => others(await childrenOf(instance))
  const isSame = async () => isDeepStrictEqual(await look(), others(before))
  await until(isSame, { timeoutMs: HEARD_MS, what: 'the other children as they were' }).catch(() => {})
  assert.deepEqual(await look(), others(before))
}

/** One that has gone in the meantime is as good. */
export function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}
