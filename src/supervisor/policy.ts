/** The numbers behind restarts and verdicts, with the defaults that facts and measurements gave. */
import type { Backoff } from '../lib/backoff.ts'

export type Policy = {
  backoff: Backoff
  /** Up and ready for so long, a child's earlier crashes are forgotten. */
  stableMs: number
  /** So many crashes within `crashWindowMs` park a child. */
  maxCrashes: number
  crashWindowMs: number
  /** A parked child gets one try each so often (a half-open circuit breaker). */
  halfOpenMs: number
  /** A clean exit after so long a readiness is a recycle, not a crash. */
  recycleAfterMs: number
  /** Ready for so long, a child that is killed from outside is started again at once, however often that happens. */
  upMs: number
  /** Even then a node child waits so long: its jobs go to the others before its imports take a CPU from them. */
  handBackMs: number
  /** A crash so shortly before the end of what the child needs was that end's fault. */
  forgiveMs: number
  /** A child that is not ready yet gets no more than this to stop. */
  unreadyStopMs: number
  /** A group that survives a KILL is killed again after this. */
  killAgainMs: number
  /** A ready child without a sign of life for so long is killed; 0 turns that off. */
  hangKillMs: number
  random: () => number
}

export const DEFAULT_POLICY: Policy = {
  backoff: { firstMs: 250, factor: 2, maxMs: 30_000 },
  stableMs: 60_000,
  maxCrashes: 5,
  crashWindowMs: 60_000,
  halfOpenMs: 60_000,
  recycleAfterMs: 5_000,
  upMs: 1_000,
  handBackMs: 25,
  forgiveMs: 1_000,
  unreadyStopMs: 2_000,
  killAgainMs: 1_000,
  hangKillMs: 12_000,
  random: Math.random,
}

/**
 * sysexits(3) EX_CONFIG: the child says that trying again cannot help. Once it has been ready it can no longer mean
 * that, for then it may be a stage that has ended its process so.
 */
export const EXIT_DO_NOT_RETRY = 78
