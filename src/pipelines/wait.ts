/** When a provider asks to wait: later without a try being spent, or parked until its quota is back. Pure. */
import { AppError } from '../lib/errors.ts'

/** `retry_after_ms` and `resets_at` as the provider said them; null when it said nothing. */
export type ProviderWait =
  | { kind: 'later'; dueMs: number }
  /** `until` is null when nobody knows: then a person resumes it. */
  | { kind: 'park'; until: string | null }

/** A longer wait than this is not a pause but the end of a quota. */
const MAX_WAIT_MS = 10 * 60_000
const MAX_WAITS = 20
/** Where the provider names no time. */
const DEFAULT_WAIT_MS = 5_000
/** So that all that wait for the same moment do not come back in the same moment. */
const JITTER = 0.1

type WaitDetails = { class?: unknown; retry_after_ms?: unknown; resets_at?: unknown }

/** Undefined for an error that asks for no wait. `waits` is how often this task has waited already. */
export function waitFor(
  error: unknown,
  waits: number,
  clock: { nowMs: number; random: () => number },
): ProviderWait | undefined {
  if (!(error instanceof AppError)) return undefined
  const { class: kind, retry_after_ms, resets_at } = (error.details ?? {}) as WaitDetails
  const until = typeof resets_at === 'string' ? resets_at : null
  if (kind === 'quota_exhausted') return { kind: 'park', until }
  if (kind !== 'rate_limit') return undefined
  const waitMs = typeof retry_after_ms === 'number' ? retry_after_ms : DEFAULT_WAIT_MS
  if (waitMs > MAX_WAIT_MS || waits >= MAX_WAITS)
    return { kind: 'park', until: new Date(clock.nowMs + waitMs).toISOString() }
  return { kind: 'later', dueMs: clock.nowMs + Math.ceil(waitMs * (1 + JITTER * clock.random())) }
}
