/** From how a stage ended to the record that says so, and to what the queue does next. */
import { setTimeout as delay } from 'node:timers/promises'
import { stageRetryMs } from '../lib/backoff.ts'
import { type ErrorCode, isDiskError, messageOf, toAppError } from '../lib/errors.ts'
import { cleanJson } from '../lib/redact.ts'
import { within } from '../lib/until.ts'
import type { Attempt } from '../project/attempt.ts'
import type { StageError } from '../project/project.ts'
import type { AbortReason, Outcome, RunRequest } from './attempt-run.ts'
import { STUCK_AFTER_MS } from './guards.ts'
import { isRetryable } from './retry.ts'
import { type ProviderWait, waitFor } from './wait.ts'

const DISK_RETRY_MS = 1_000
/** The record of a stuck stage may take so long: its process ends with or without it. */
const STUCK_RECORD_MS = 2_000

/** From what was thrown, and why the signal fired, to the record that says so. */
export async function concludeStage(request: RunRequest, reason: AbortReason, thrown: unknown): Promise<Outcome> {
  const { attempt } = request
  const error = toAppError(thrown, 'stage_failed')
  if (reason === 'cancelled' || reason === 'superseded' || error.code === 'superseded' || !attempt.isCurrent())
    return { kind: 'superseded' }
  await attempt.dispose() // a full disk needs the room before anything can be written
  return untilWritten(request, () => {
    if (isDiskError(thrown)) return release(attempt, 'disk')
    if (reason === 'drain' || error.code === 'interrupted') return release(attempt, handOver(request))
    if (reason === 'soft_time_limit' || reason === 'time_limit') return fail(attempt, overdue(request))
    return retryOrFail(request, thrown)
  })
}

type Recording = Pick<RunRequest, 'attempt' | 'drain' | 'log' | 'clean'>

/**
 * For what escaped around the stage. Without a record it would stay `running` for ever, in the name of a process that
 * lives: when nothing can be written, that process has to end.
 */
export async function recordEscape(request: Recording, thrown: unknown): Promise<Outcome> {
  const { attempt, drain, log } = request
  log.error({ error: messageOf(thrown) }, 'a stage ended outside its code')
  try {
    if (!attempt.isCurrent()) return { kind: 'superseded' }
    return await untilWritten(request, () =>
      isDiskError(thrown) ? release(attempt, 'disk') : fail(attempt, factsOf(thrown, request)),
    )
  } catch (error) {
    if (drain.reason() !== null) throw error // this process ends anyway, and lets the others finish first
    log.error({ error: messageOf(error) }, 'how a stage ended cannot be written down; this process ends')
    return { kind: 'stuck' }
  }
}

/** A disk may be too full even for the record that says so: it is tried until there is room or we have to stop. */
async function untilWritten(request: Recording, write: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (ENDED_BY_OTHERS.has(toAppError(error).code)) return { kind: 'superseded' }
      if (!isDiskError(error) || hasToStop(request.drain)) throw error
      request.log.warn(
        { error: toAppError(error).message },
        'the disk is full; waiting to write down how the stage ended',
      )
      await delay(DISK_RETRY_MS, undefined, { ref: false })
    }
  }
}

/** Taken over or cancelled; or the project was deleted. */
const ENDED_BY_OTHERS: ReadonlySet<string> = new Set(['superseded', 'not_found'])

/** A process that is only replaced has the time that its stages have. */
function hasToStop({ reason, signal }: RunRequest['drain']): boolean {
  return reason() === 'stop' || signal.aborted
}

/** When only this process ends the stage goes on elsewhere at once; else on the next start. */
function handOver({ drain }: RunRequest): 'recycle' | 'interrupted' {
  return drain.reason() === 'recycle' ? 'recycle' : 'interrupted'
}

async function release(attempt: Attempt, reason: 'recycle' | 'interrupted' | 'disk'): Promise<Outcome> {
  await attempt.release(reason)
  return { kind: 'released', reason }
}

/** No try is spent, no slot held, and the stage's clock does not run. */
async function giveWay(attempt: Attempt, wait: ProviderWait, error: StageError): Promise<Outcome> {
  if (wait.kind === 'park') {
    await attempt.release('quota', { until: wait.until, error })
    return { kind: 'released', reason: 'quota' }
  }
  const dueAt = new Date(wait.dueMs).toISOString()
  await attempt.defer(dueAt, error)
  return { kind: 'retry', dueAt, kept: true, error }
}

async function fail(attempt: Attempt, error: StageError): Promise<Outcome> {
  await attempt.fail(error, null)
  return { kind: 'failed', error }
}

/** Servers and libraries repeat keys and addresses in their errors; these are kept for long, and seen by others. */
function factsOf(thrown: unknown, { clean }: Pick<RunRequest, 'clean'>, fallback?: ErrorCode): StageError {
  const { code, message, details } = toAppError(thrown, fallback)
  return JSON.parse(cleanJson({ code, message, details }, clean)) as StageError
}

async function retryOrFail({ attempt, clean }: RunRequest, thrown: unknown): Promise<Outcome> {
  const facts = factsOf(thrown, { clean }, 'stage_failed')
  const { retries, waits } = attempt.project.read().state.stages.find((s) => s.name === attempt.stage)!
  const wait = waitFor(thrown, waits, { nowMs: Date.now(), random: Math.random })
  if (wait) return giveWay(attempt, wait, facts)
  const delayMs = isRetryable(thrown) ? stageRetryMs(retries) : null
  if (delayMs === null) return fail(attempt, facts)
  const dueAt = new Date(Date.now() + delayMs).toISOString()
  await attempt.fail(facts, dueAt)
  return { kind: 'retry', dueAt, kept: false, error: facts }
}

function overdue({ stage, limits }: Pick<RunRequest, 'stage' | 'limits'>): StageError {
  const { softS, hardS } = limits
  return { code: 'time_limit', message: `${stage.name} ran into its time limit (soft ${softS} s, hard ${hardS} s)` }
}

/** Only the end of this process can stop it; its record comes first, unless somebody else's says how it ended. */
export async function concludeStuck({ attempt, stage, limits, log }: RunRequest): Promise<Outcome> {
  const message = `${stage.name} did not return ${limits.hardS + STUCK_AFTER_MS / 1_000} s after it began`
  try {
    if (attempt.isCurrent()) await within(attempt.fail({ code: 'time_limit', message }, null), STUCK_RECORD_MS, null)
  } catch (error) {
    log.error({ error: messageOf(error) }, 'a stage that did not return could not be written down as failed')
  }
  return { kind: 'stuck' }
}
