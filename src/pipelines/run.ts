/** Runs one claimed attempt to its end. Every way out is a value. */
import { AppError } from '../lib/errors.ts'
import { ensureFolder } from '../lib/files.ts'
import { canonicalJson, sha256 } from '../lib/ids.ts'
import { within } from '../lib/until.ts'
import { type Attempt, loadValue } from '../project/attempt.ts'
import type { Credit } from '../project/records.ts'
import type { AbortReason, Outcome, RunRequest } from './attempt-run.ts'
import { concludeStage, concludeStuck } from './conclude.ts'
import { type OpenContext, openContext } from './context.ts'
import type { Emission, StageContext, StageDefinition } from './define.ts'
import { guardStage, untilStuck } from './guards.ts'
import { createThrottle, type Progress, progressOf } from './progress.ts'
import { endRest, REST_MS } from './rest.ts'

const PROGRESS_EVERY_MS = 500

export async function runStage(request: RunRequest): Promise<Outcome> {
  const { attempt } = request
  const abort = new AbortController()
  const ended = new AbortController()
  request.onClock(request.limits.hardS)
  const guards = guardStage(request, abort, ended.signal)
  const { isOverdue } = guards
  const onSettled = () => {
    ended.abort()
    request.onClock(null)
  }
  const progress = createThrottle<Progress>((p) => attempt.progress(p.progress, p.message), PROGRESS_EVERY_MS)
  try {
    const outcome = await Promise.race([
      perform(request, { abort, progress, isOverdue, onSettled }),
      untilStuck(request, ended.signal),
    ])
    if (outcome === 'stuck') return await concludeStuck(request)
    return outcome
  } finally {
    ended.abort()
    await guards.done
    await attempt.dispose() // neither of these rejects: a stage that is stuck has to be told as such
  }
}

type Means = {
  abort: AbortController
  progress: ReturnType<typeof createThrottle<Progress>>
  isOverdue: () => boolean
  /** Nothing of the stage runs any more, so no limit may end the process for it; its record may still take time. */
  onSettled: () => void
}

/** The outcome is written down first; the job lasts until what the stage has left behind has ended too. */
async function perform(request: RunRequest, means: Means): Promise<Outcome> {
  const { attempt, live } = request
  const { abort, progress, isOverdue } = means
  const startedMs = performance.now()
  const emit = (value: Emission) => {
    if (typeof value === 'string') return live.text(value)
    const next = progressOf(value)
    progress.push(next)
    live.progress({ ...value, progress: next.progress })
  }
  let steps: OpenContext | null = null
  let settled: Promise<void> | undefined
  const endIt = () => (settled ??= endRest({ ...request, ...means, steps }))
  try {
    if (attempt.fault) throw attempt.fault.error
    await ensureFolder(attempt.work)
    const open = openContext({ ...(await gather(request)), signal: abort.signal, isOverdue, emit })
    steps = open
    const result = await consume(request.stage.run(open.context), open.context)
    if (isOverdue()) throw new AppError('time_limit', 'The stage returned after its hard time limit')
    const ended = endIt()
    await progress.flush()
    const credit = open.credit()
    await attempt.complete({ result, text: live.fullText() || null, credit })
    await live.done(metadataOf(credit, performance.now() - startedMs))
    await ended
    return { kind: 'completed' }
  } catch (error) {
    if (!abort.signal.aborted) abort.abort('failed' satisfies AbortReason)
    const ended = endIt()
    await within(ended, REST_MS, undefined)
    await progress.flush().catch(() => {}) // the stage's own error is the one to report
    const outcome = await concludeStage(request, abort.signal.reason as AbortReason, error)
    await tellEnd(request, outcome)
    await ended
    return outcome
  }
}

function metadataOf({ usage, model, provider }: Credit, latencyMs: number) {
  const tokens_used = usage.input_tokens + usage.output_tokens
  return { latency_ms: Math.round(latencyMs), tokens_used, model: model ?? provider ?? 'none' }
}

/** The text so far stays with those who watch; whoever takes the stage over replaces it. */
async function tellEnd({ live, attempt }: RunRequest, outcome: Outcome): Promise<void> {
  if (outcome.kind !== 'failed' && outcome.kind !== 'retry') return live.close()
  const { retries, waits } = attempt.project.read().state.stages.find((s) => s.name === attempt.stage)!
  await live.error({
    error: outcome.error.message,
    retry_count: retries + waits,
    will_retry: outcome.kind === 'retry',
  })
}

async function gather({ attempt, stage, providers, nice, log, drain }: RunRequest) {
  const input = await attempt.project.input(attempt.stage)
  const results = await upstreamResults(attempt)
  return {
    attempt,
    input,
    results,
    memoKey: memoKey(attempt, stage, { input, results }),
    providers,
    nice,
    log,
    isDraining: () => drain.reason() !== null,
  }
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

/**
 * Changes with everything that a remembered step depends on, so that an edit reruns just what it must. Files count as
 * the stages before have put them: the stage may replace them itself, and must know its steps again after a crash.
 * Earlier versions hashed what lay there last, in the order of putting, so that an upgrade may cost a stage that it
 * finds in the middle its steps: they are done once more.
 */
function memoKey(attempt: Attempt, stage: StageDefinition, from: { input: unknown; results: unknown }): string {
  const { internals } = attempt.project.read()
  const files = Object.keys(from.results as object).flatMap((name) => Object.entries(internals[name]!.files).sort())
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
