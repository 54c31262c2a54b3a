/** What a record makes of one stage: pure functions of the stage as it was. */

import type { Of } from './folded.ts'
import type { StageState, StageUsage } from './project.ts'

export function blankStage(name: string, queue: string): StageState {
  return {
    name,
    queue,
    status: 'pending',
    reason: null,
    stale: false,
    progress: 0,
    message: null,
    attempts: 0,
    retries: 0,
    retry_at: null,
    waits: 0,
    wait_until: null,
    task_id: null,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    last_progress_at: null,
    steps: [],
    own_input: null,
    text: null,
    text_artifact: null,
    result: null,
    result_artifact: null,
    error: null,
    provider: null,
    model: null,
    degraded: [],
    usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
    calls: 0,
  }
}

/** A task that has begun and not ended; all of these can be claimed, cancelled or lost. */
export function isOnItsWay(stage: StageState): boolean {
  return stage.status === 'queued' || stage.status === 'running' || stage.status === 'waiting'
}

export function cancelledStage(stage: StageState, at: string): StageState {
  return { ...stage, status: 'cancelled', reason: null, retry_at: null, wait_until: null, finished_at: at }
}

/** A stage that has to run again, with its remembered steps and all of its tries. */
export const UNDONE = {
  status: 'pending',
  reason: null,
  stale: false,
  progress: 0,
  message: null,
  retries: 0,
  retry_at: null,
  waits: 0,
  wait_until: null,
  error: null,
  text: null,
  text_artifact: null,
  result: null,
  result_artifact: null,
  task_id: null,
  started_at: null,
  finished_at: null,
  duration_ms: null,
} as const

export function queuedStage(stage: StageState, task_id: string): StageState {
  return { ...stage, status: 'queued', reason: null, wait_until: null, error: null, task_id }
}

export function startedStage(stage: StageState, at: string): StageState {
  return {
    ...stage,
    status: 'running',
    reason: null,
    error: null,
    retry_at: null,
    wait_until: null,
    attempts: stage.attempts + 1,
    started_at: stage.started_at ?? at,
    finished_at: null,
  }
}

/** A step done again takes the place of the one before. */
export function steppedStage(stage: StageState, { name, key, result, files, texted }: Of<'step'>): StageState {
  const others = stage.steps.filter((s) => s.name !== name)
  return { ...stage, steps: [...others, { name, status: 'completed', key, result, files, ...(texted && { texted }) }] }
}

/** A step whose value lay in this file has lost it: two steps could share a file once, and neither may get the other's. */
export function overwrittenStage(stage: StageState, file: string): StageState {
  const steps = stage.steps.filter(({ result }) => !('artifact' in result && result.artifact === file))
  return steps.length === stage.steps.length ? stage : { ...stage, steps }
}

/** Costs add up; one of which nobody knows the price makes the sum unknown, never smaller. */
export function chargedStage(stage: StageState, usage: StageUsage): StageState {
  const { input_tokens, output_tokens, cost_usd } = stage.usage
  const known = usage.cost_usd !== null && (cost_usd !== null || stage.calls === 0)
  return {
    ...stage,
    calls: stage.calls + 1,
    usage: {
      input_tokens: input_tokens + usage.input_tokens,
      output_tokens: output_tokens + usage.output_tokens,
      cost_usd: known ? (cost_usd ?? 0) + usage.cost_usd! : null,
    },
  }
}

export function completedStage(stage: StageState, { at, result, text, credit }: Of<'completed'>): StageState {
  const { provider, model, degraded, usage } = credit
  return {
    ...stage,
    status: 'completed',
    stale: false,
    progress: 100,
    message: null,
    finished_at: at,
    duration_ms: elapsed(stage.started_at, at),
    result: 'value' in result ? result.value : null,
    result_artifact: 'artifact' in result ? result.artifact : null,
    text: text && 'value' in text ? String(text.value) : null,
    text_artifact: text && 'artifact' in text ? text.artifact : null,
    provider,
    model,
    degraded,
    // What was recorded call by call also holds what failed attempts have cost.
    usage: stage.calls > 0 ? stage.usage : usage,
  }
}

export function failedStage(stage: StageState, record: Of<'failed'>): StageState {
  const failed = { ...stage, error: record.error, message: null }
  if (record.retry_at) return { ...failed, status: 'queued', retries: stage.retries + 1, retry_at: record.retry_at }
  return { ...failed, status: 'failed', finished_at: record.at, duration_ms: elapsed(stage.started_at, record.at) }
}

/** Its work goes on from the last step, without a try being spent. */
export function crashedStage(stage: StageState, { exit }: Of<'crashed'>): StageState {
  return { ...stage, status: 'queued', message: `${exit.worker} ${exit.reason}; it runs again, alone` }
}

export function deferredStage(stage: StageState, { until, error }: Of<'deferred'>): StageState {
  return { ...stage, status: 'queued', waits: stage.waits + 1, retry_at: until, error, message: null }
}

export function releasedStage(stage: StageState, record: Of<'released'>): StageState {
  if (record.reason === 'recycle') return { ...stage, status: 'queued', message: null }
  const { reason, until = null, error = null } = record
  return { ...stage, status: 'waiting', reason, wait_until: until, error, message: null }
}

function elapsed(from: string | null, to: string): number | null {
  return from ? Math.max(0, Date.parse(to) - Date.parse(from)) : null
}
