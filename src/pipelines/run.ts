/** Runs one claimed attempt to its end and writes down how it ended. Every way out is a value. */
import { setTimeout as delay } from 'node:timers/promises'
import { stageRetryMs } from '../lib/backoff.ts'
import { AppError, isDiskError, toAppError } from '../lib/errors.ts'
import { canonicalJson, sha256 } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import { within } from '../lib/until.ts'
import { type Attempt, loadValue } from '../project/attempt.ts'
import type { StageError } from '../project/project.ts'
import type { Providers } from '../providers/pick.ts'
import { openContext } from './context.ts'
import { ensureFolder } from '../lib/files.ts'
import type { Emission, StageContext, StageDefinition } from './define.ts'
import { createThrottle, type Progress, progressOf } from './progress.ts'
import { isRetryable } from './retry.ts'

/** Why a stage's signal fired; the signal's `reason` is this very string. */
export type AbortReason = 'cancelled' | 'superseded' | 'soft_time_limit' | 'time_limit' | 'drain' | 'failed'

export type RunRequest = {
  attempt: Attempt
  stage: StageDefinition
  providers: Providers
  nice: number
  limits: { softS: number; hardS: number }
  log: Log
  /** True from the moment the worker was told to stop: no new step begins. */
  isDraining: () => boolean
  /** Fires near the end of a drain. */
  drainSignal: AbortSignal
  /** Calls back when this project may have changed; returns how to stop listening. */
  onNudge: (listener: () => void) => () => void
  onEmit?: (value: Emission) => void
}

export type Outcome =
  | { kind: 'completed' }
  | { kind: 'retry'; dueAt: string; error: StageError }
  | { kind: 'failed'; error: StageError }
  | { kind: 'released'; reason: 'interrupted' | 'disk' }
  /** Cancelled, rerun or taken over: somebody else's record says how it ended. */
  | { kind: 'superseded' }
  /** Past its hard limit and still not returned: only the end of this process can stop it. */
  | { kind: 'stuck' }

const PROGRESS_EVERY_MS = 500
const CLAIM_CHECK_MS = 1_000
const STUCK_AFTER_MS = 5_000
const DISK_RETRY_MS = 1_000

export async function runStage(request: RunRequest): Promise<Outcome> {
  const { attempt } = request
  const abort = new AbortController()
  const ended = new AbortController()
  const guards = [watchClaim(request, abort, ended.signal), watchLimits(request, abort, ended.signal), watchDrain(request, abort, ended.signal)]
  const progress = createThrottle<Progress>((p) => attempt.progress(p.progress, p.message), PROGRESS_EVERY_MS)
  try {
    const outcome = await Promise.race([perform(request, abort, progress), stuck(request, ended.signal)])
    if (outcome === 'stuck') return await settleStuck(request)
    return outcome
  } finally {
    ended.abort()
    await Promise.all(guards)
    await attempt.dispose()
  }
}

type Progressor = ReturnType<typeof createThrottle<Progress>>

async function perform(request: RunRequest, abort: AbortController, progress: Progressor): Promise<Outcome> {
  const { attempt } = request
  const emit = (value: Emission) => {
    const next = progressOf(value)
    if (next) progress.push(next)
    request.onEmit?.(value)
  }
  let settled = async () => {}
  try {
    await ensureFolder(attempt.work)
    const open = openContext(await gather(request, abort.signal, emit))
    settled = open.stepsSettled
    const result = await consume(request.stage.run(open.context), open.context)
    await progress.flush()
    await attempt.complete(result, open.credit())
    return { kind: 'completed' }
  } catch (error) {
    if (!abort.signal.aborted) abort.abort('failed' satisfies AbortReason)
    await within(settled(), 2_000, undefined)
    await progress.flush().catch(() => {}) // the stage's own error is the one to report
    return conclude(request, abort.signal.reason as AbortReason, error)
  }
}

async function gather(request: RunRequest, signal: AbortSignal, emit: (value: Emission) => void) {
  const { attempt, stage, providers, nice, log, isDraining } = request
  const input = await attempt.project.input()
  const results = await upstreamResults(attempt)
  return { attempt, input, results, memoKey: memoKey(attempt, stage, { input, results }), providers, nice, signal, log, isDraining, emit }
}

/** Results of the stages before this one, wherever they lie. */
async function upstreamResults(attempt: Attempt): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {}
  for (const stage of attempt.project.read().state.stages) {
    if (stage.name === attempt.stage) break
    if (stage.status !== 'completed') continue
    results[stage.name] = stage.result_artifact ? await loadValue(attempt.project, stage.result_artifact) : stage.result
  }
  return results
}

/** Changes with everything that a remembered step depends on, so that an edit reruns just what it must. */
function memoKey(attempt: Attempt, stage: StageDefinition, from: { input: unknown; results: unknown }): string {
  const { state } = attempt.project.read()
  const before = new Set(Object.keys(from.results as object))
  const files = state.artifacts.filter((a) => before.has(a.stage)).map((a) => [a.name, a.sha256])
  return sha256(canonicalJson({ stage: stage.name, version: stage.version ?? 1, take: attempt.take, ...from, files }))
}

/** A generator's yields are emissions, its return value the result; a promise's value is the result. */
async function consume(running: unknown, context: StageContext): Promise<unknown> {
  if (!isGenerator(running)) return running
  for (;;) {
    const { done, value } = await running.next()
    if (done) return value
    context.emit(value)
    if (!context.signal.aborted) continue
    await running.return(undefined) // lets its finally blocks run
    context.signal.throwIfAborted()
  }
}

function isGenerator(value: unknown): value is AsyncGenerator<Emission, unknown, void> {
  return typeof (value as AsyncGenerator | undefined)?.[Symbol.asyncIterator] === 'function'
}

/** From what was thrown, and why the signal fired, to the record that says so. */
async function conclude(request: RunRequest, reason: AbortReason, thrown: unknown): Promise<Outcome> {
  const { attempt } = request
  const error = toAppError(thrown, 'stage_failed')
  if (reason === 'cancelled' || reason === 'superseded' || error.code === 'superseded' || !attempt.isCurrent())
    return { kind: 'superseded' }
  await attempt.dispose() // a full disk needs the room before anything can be written
  return untilWritten(request, () => {
    if (isDiskError(thrown)) return release(attempt, 'disk')
    if (reason === 'drain' || error.code === 'interrupted') return release(attempt, 'interrupted')
    if (reason === 'soft_time_limit' || reason === 'time_limit') return fail(attempt, overdue(request))
    return retryOrFail(attempt, error, thrown)
  })
}

/** A disk may be too full even for the record that says so: it is tried until there is room or we have to stop. */
async function untilWritten(request: RunRequest, write: () => Promise<Outcome>): Promise<Outcome> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (toAppError(error).code === 'superseded') return { kind: 'superseded' }
      if (!isDiskError(error) || request.isDraining()) throw error
      request.log.warn({ error: toAppError(error).message }, 'the disk is full; waiting to write down how the stage ended')
      await delay(DISK_RETRY_MS, undefined, { ref: false })
    }
  }
}

async function release(attempt: Attempt, reason: 'interrupted' | 'disk'): Promise<Outcome> {
  await attempt.release(reason)
  return { kind: 'released', reason }
}

async function fail(attempt: Attempt, error: StageError): Promise<Outcome> {
  await attempt.fail(error, null)
  return { kind: 'failed', error }
}

async function retryOrFail(attempt: Attempt, error: AppError, thrown: unknown): Promise<Outcome> {
  const facts: StageError = { code: error.code, message: error.message, details: error.details }
  const retries = attempt.project.read().state.stages.find((s) => s.name === attempt.stage)!.retries
  const delayMs = isRetryable(thrown) ? stageRetryMs(retries) : null
  if (delayMs === null) return fail(attempt, facts)
  const dueAt = new Date(Date.now() + delayMs).toISOString()
  await attempt.fail(facts, dueAt)
  return { kind: 'retry', dueAt, error: facts }
}

function overdue({ stage, limits }: RunRequest): StageError {
  const { softS, hardS } = limits
  return { code: 'time_limit', message: `${stage.name} ran into its time limit (soft ${softS} s, hard ${hardS} s)` }
}

/** Cancel, rerun and takeover arrive as records; a nudge only makes the look happen sooner. */
async function watchClaim({ attempt, onNudge }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  const look = () => {
    if (!attempt.isCurrent()) abort.abort(lossReason(attempt))
  }
  const silence = onNudge(look)
  while (await tick(CLAIM_CHECK_MS, until)) look()
  silence()
}

function lossReason(attempt: Attempt): AbortReason {
  const stage = attempt.project.read().state.stages.find((s) => s.name === attempt.stage)
  return stage?.status === 'cancelled' ? 'cancelled' : 'superseded'
}

async function watchLimits({ limits }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  if (!(await tick(limits.softS * 1_000, until))) return
  abort.abort('soft_time_limit' satisfies AbortReason)
}

async function watchDrain({ drainSignal }: RunRequest, abort: AbortController, until: AbortSignal): Promise<void> {
  const onDrain = () => abort.abort('drain' satisfies AbortReason)
  if (drainSignal.aborted) return onDrain()
  drainSignal.addEventListener('abort', onDrain, { once: true })
  until.addEventListener('abort', () => drainSignal.removeEventListener('abort', onDrain), { once: true })
}

async function stuck({ limits }: RunRequest, until: AbortSignal): Promise<'stuck'> {
  if (await tick(limits.hardS * 1_000 + STUCK_AFTER_MS, until)) return 'stuck'
  return new Promise(() => {}) // the attempt has ended; nobody waits for this any more
}

async function settleStuck({ attempt, stage, limits }: RunRequest): Promise<Outcome> {
  if (!attempt.isCurrent()) return { kind: 'superseded' }
  await attempt.fail({ code: 'time_limit', message: `${stage.name} did not return ${limits.hardS + STUCK_AFTER_MS / 1_000} s after it began` }, null)
  return { kind: 'stuck' }
}

/** True after `ms`, false when `until` came first. */
async function tick(ms: number, until: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal: until, ref: false }).catch(() => false)
}
