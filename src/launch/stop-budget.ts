/** How a stop spends its time, so that the work is saved before whoever waits outside kills us. Pure. */
import type { OuterLimit } from './outer-limit.ts'

export type StopBudget = {
  /** Running steps may end by themselves for so long, then they are told to. */
  abortAfterMs: number
  /** Then they have so long to give their work back, before they are killed. */
  giveBackMs: number
  apiCloseMs: number
  redisStopMs: number
}

const FULL: StopBudget = { abortAfterMs: 18_000, giveBackMs: 5_000, apiCloseMs: 1_000, redisStopMs: 4_000 }
export const FULL_STOP_S = (FULL.abortAfterMs + FULL.giveBackMs + FULL.apiCloseMs + FULL.redisStopMs) / 1_000

/** What is kept for the time after the abort, when time is short. */
const TAIL_MS = 8_000
const LEAST_MS = 1_000
/** Timers are late on a machine that is busy, and our own exit takes its time. */
const SLACK = 0.05

export function fitsFullStop(limit: OuterLimit | null): boolean {
  return limit === null || limit.seconds > FULL_STOP_S
}

export function stopBudget(limit: OuterLimit | null): StopBudget {
  if (limit === null || fitsFullStop(limit)) return FULL
  const limitMs = limit.seconds * 1_000
  const abortAfterMs = Math.min(FULL.abortAfterMs, Math.max(LEAST_MS, limitMs - TAIL_MS))
  const share = Math.max(0, limitMs - abortAfterMs) * (1 - SLACK)
  return { abortAfterMs, giveBackMs: (share * 5) / 8, apiCloseMs: share / 8, redisStopMs: (share * 2) / 8 }
}
