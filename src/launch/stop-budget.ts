/** How a stop spends its time, so that the work is saved before whoever waits outside kills us. Pure. */
import type { OuterLimit } from './outer-limit.ts'

export type StopBudget = {
  /** Running steps may end by themselves for so long, then they are told to. */
  abortAfterMs: number
  /** Then they have so long to give their work back, before they are killed. */
  giveBackMs: number
  /** For all that follows: writing down what was killed, the API, Redis, the sweep. */
  tailMs: number
}

/** The parts of a stop, in order. After `sweep` it should have ended; what has not after `last` is given up. */
export type StopPart = 'work' | 'notes' | 'api' | 'redis' | 'sweep' | 'last'

/** When each part has to be over, on performance.now(). */
export type StopMoments = Record<StopPart, number>

export const FULL: StopBudget = { abortAfterMs: 18_000, giveBackMs: 5_000, tailMs: 5_000 }
export const FULL_STOP_S = totalMs(FULL) / 1_000

/** After a second Ctrl+C. */
export const HURRY: StopBudget = { abortAfterMs: 0, giveBackMs: 1_000, tailMs: 900 }
/** After a third one: the processes are killed already, which the kernel may take a moment for. */
export const KILL: StopBudget = { abortAfterMs: 0, giveBackMs: 500, tailMs: 900 }

/** Of the tail. What has been killed needs a moment too, so `work` has a share in it. */
const SHARES: Record<Exclude<StopPart, 'last'>, number> = { work: 0.2, notes: 0.15, api: 0.15, redis: 0.3, sweep: 0.2 }

/** What is kept for the time after the abort, when time is short. */
const TAIL_MS = 8_000
const LEAST_MS = 1_000
const LAST_RESORT_MS = 1_000
/** Timers are late on a machine that is busy, and our own exit takes its time. */
const SLACK = 0.05

export function fitsFullStop(limit: OuterLimit | null): boolean {
  return limit === null || limit.seconds > FULL_STOP_S
}

export function stopBudget(limit: OuterLimit | null): StopBudget {
  if (limit === null || fitsFullStop(limit)) return FULL
  const limitMs = limit.seconds * 1_000
  const abortAfterMs = Math.min(FULL.abortAfterMs, Math.max(LEAST_MS, limitMs - TAIL_MS))
  const restMs = Math.max(0, limitMs - abortAfterMs) * (1 - SLACK)
  return { abortAfterMs, giveBackMs: restMs / 2, tailMs: restMs / 2 }
}

/** At its end a process writes out its state files and says goodbye: that is taken from what its stages have. */
const GOODBYE_MS = 500
const GOODBYE_SHARE = 0.2

/** For the stages of a process that is killed `giveBackMs` after its abort. */
export function stagesGiveBackMs(giveBackMs: number): number {
  return giveBackMs - Math.min(GOODBYE_MS, giveBackMs * GOODBYE_SHARE)
}

export function totalMs({ abortAfterMs, giveBackMs, tailMs }: StopBudget): number {
  return abortAfterMs + giveBackMs + tailMs
}

/** For a stop that begins, or changes its pace, at `nowMs`. */
export function momentsOf(budget: StopBudget, nowMs: number): StopMoments {
  let atMs = nowMs + budget.abortAfterMs + budget.giveBackMs
  const after = (part: keyof typeof SHARES) => {
    atMs += budget.tailMs * SHARES[part]
    return atMs
  }
  return {
    work: after('work'),
    notes: after('notes'),
    api: after('api'),
    redis: after('redis'),
    sweep: after('sweep'),
    last: nowMs + totalMs(budget) + LAST_RESORT_MS,
  }
}
