/** How long to wait before trying again: pure functions of the attempt. */

export type Backoff = { firstMs: number; factor: number; maxMs: number }

/** Exponential delay in milliseconds for the n-th failure (1, 2, …), with full jitter in its upper half. */
export function backoffMs(failure: number, policy: Backoff, random: () => number = Math.random): number {
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** (failure - 1))
  return Math.round(full / 2 + (random() * full) / 2)
}

/** Delays of a stage's retries: after the first, second and third failed try. */
export const STAGE_RETRY_MS = [2_000, 5_000, 10_000] as const

/** Milliseconds until the next try when `retries` were already spent, or null when none is left. */
export function stageRetryMs(retries: number): number | null {
  return STAGE_RETRY_MS[retries] ?? null
}
