/** What can end a running stage from outside: its claim, its time limits, a drain. */
import { setTimeout as delay } from 'node:timers/promises'
import { toAppError } from '../lib/errors.ts'
import type { Attempt } from '../project/attempt.ts'
import type { AbortReason, RunRequest } from './attempt-run.ts'

const CLAIM_CHECK_MS = 1_000
/** After the hard limit a stage has so long to return. */
export const STUCK_AFTER_MS = 5_000

export type Guards = {
  /** Past its hard limit: its programs were killed, so what it makes of their end does not count. */
  isOverdue(): boolean
  /** Resolves some time after `ended` has fired; never rejects. */
  done: Promise<unknown>
}

/** Fires `abort` for the first reason that comes up. */
export function guardStage(request: RunRequest, abort: AbortController, ended: AbortSignal): Guards {
  let overdue = false
  const onOverdue = () => {
    overdue = true
    abort.abort('time_limit' satisfies AbortReason)
    request.endPrograms()
  }
  return {
    isOverdue: () => overdue,
    done: Promise.allSettled([
      watchClaim(request, abort, ended),
      watchSoftLimit(request, abort, ended),
      watchHardLimit(request, onOverdue, ended),
      watchDrain(request, abort, ended),
    ]),
  }
}

/** Cancel, rerun and takeover arrive as records; a nudge only makes the look happen sooner. */
async function watchClaim({ attempt, onNudge }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  const look = () => {
    const loss = lossOf(attempt)
    if (loss) abort.abort(loss)
  }
  const silence = onNudge(look)
  while (await tick(CLAIM_CHECK_MS, until)) look()
  silence()
}

/** A project that is gone has been deleted. */
function lossOf(attempt: Attempt): AbortReason | null {
  try {
    if (attempt.isCurrent()) return null
    const stage = attempt.project.read().state.stages.find((s) => s.name === attempt.stage)
    return stage?.status === 'cancelled' ? 'cancelled' : 'superseded'
  } catch (error) {
    return toAppError(error).code === 'not_found' ? 'superseded' : null // it cannot be read now: the next look tells
  }
}

async function watchSoftLimit({ limits }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  if (await tick(limits.softS * 1_000, until)) abort.abort('soft_time_limit' satisfies AbortReason)
}

async function watchHardLimit({ limits }: RunRequest, onOverdue: () => void, until: AbortSignal): Promise<void> {
  if (await tick(limits.hardS * 1_000, until)) onOverdue()
}

async function watchDrain({ drain }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  const onDrain = () => abort.abort('drain' satisfies AbortReason)
  if (drain.signal.aborted) return onDrain()
  drain.signal.addEventListener('abort', onDrain, { once: true })
  until.addEventListener('abort', () => drain.signal.removeEventListener('abort', onDrain), { once: true })
}

/** Resolves when the stage is past its hard limit and has had its time to return; never when it ended before. */
export async function untilStuck({ limits }: RunRequest, ended: AbortSignal): Promise<'stuck'> {
  if (await tick(limits.hardS * 1_000 + STUCK_AFTER_MS, ended)) return 'stuck'
  return new Promise(() => {}) // the attempt has ended; nobody waits for this any more
}

/** True after `ms`, false when `until` came first. */
async function tick(ms: number, until: AbortSignal): Promise<boolean> {
  return delay(Math.max(0, ms), true, { signal: until, ref: false }).catch(() => false)
}
