/** What a failed call to a provider means for the work: one pure decision over what real servers send. */
import { type Evidence, evidenceOf } from './evidence.ts'
import type { FailureClass } from './provider.ts'

/** `retryAfterMs` is the server's wish; `resetsAt` is when a used-up quota comes back, where that is known. */
export type Failure = {
  class: FailureClass
  retryable: boolean
  retryAfterMs: number | null
  resetsAt: string | null
  message: string
}

/** Codes and types that decide alone, whatever the status says (OpenAI's, OpenRouter's, Azure's, vLLM's, Ollama's). */
const BY_CODE: Record<string, FailureClass> = {
  insufficient_quota: 'quota_exhausted',
  credit_balance_exhausted: 'quota_exhausted',
  organization_spend_limit_exceeded: 'quota_exhausted',
  project_spend_limit_exceeded: 'quota_exhausted',
  organization_usage_limit_exceeded: 'quota_exhausted',
  billing_hard_limit_reached: 'quota_exhausted',
  billing_not_active: 'quota_exhausted',
  rate_limit_exceeded: 'rate_limit',
  slow_down: 'rate_limit',
  server_error: 'transient',
  server_is_overloaded: 'transient',
  overloaded_error: 'transient',
  invalid_api_key: 'misconfigured',
  model_not_found: 'misconfigured',
  unsupported_parameter: 'misconfigured',
  unsupported_value: 'misconfigured',
  unknown_parameter: 'misconfigured',
  unsupported_country_region_territory: 'misconfigured',
  api_key_invalid: 'misconfigured',
  content_policy_violation: 'rejected',
  image_content_policy_violation: 'rejected',
  responsibleaipolicyviolation: 'rejected',
  misalignment_policy_violation: 'rejected',
  bio_policy: 'rejected',
  moderation_blocked: 'rejected',
  content_filter: 'rejected',
  invalid_prompt: 'rejected',
  safety: 'rejected',
  prohibited_content: 'rejected',
  context_length_exceeded: 'invalid_request',
}

const BY_STATUS: Record<number, FailureClass> = {
  401: 'misconfigured',
  402: 'quota_exhausted',
  403: 'misconfigured',
  404: 'misconfigured',
  408: 'transient',
  409: 'transient',
  425: 'transient',
  429: 'rate_limit',
}

/** What broke below HTTP. A refused connection or an unknown host is the address, or a server that still starts. */
const BY_TRANSPORT: Record<string, FailureClass> = {
  ECONNREFUSED: 'misconfigured',
  ENOTFOUND: 'misconfigured',
  ERR_INVALID_URL: 'misconfigured',
  CERT_HAS_EXPIRED: 'misconfigured',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'misconfigured',
}

/** May heal by itself although the settings are the likeliest cause. */
const WORTH_A_TRY = new Set(['ECONNREFUSED', 'ENOTFOUND'])

/**
 * Order of evidence: abort, what we found ourselves, code or type, Google's quota details, status, transport; the
 * header `x-should-retry` then decides whether another try makes sense. `nowMs` turns HTTP dates into waits.
 */
export function classifyError(error: unknown, nowMs = Date.now()): Failure {
  const evidence = evidenceOf(error, nowMs)
  const kind = kindOf(evidence)
  return {
    class: kind,
    retryable: isWorthRetrying(kind, evidence),
    retryAfterMs: evidence.retryAfterMs,
    resetsAt: kind === 'quota_exhausted' ? evidence.resetsAt : null,
    message: evidence.message,
  }
}

function kindOf(evidence: Evidence): FailureClass {
  if (evidence.aborted) return 'cancelled'
  if (evidence.ownClass) return evidence.ownClass
  if (evidence.quota === 'day') return 'quota_exhausted'
  if (evidence.quota === 'minute') return 'rate_limit'
  if (evidence.moderated) return 'rejected'
  const named = evidence.codes.map((code) => BY_CODE[code]).find((found) => found !== undefined)
  if (named) return named
  if (evidence.status !== undefined) return byStatus(evidence.status, evidence.shouldRetry)
  if (evidence.transport) return BY_TRANSPORT[evidence.transport] ?? 'transient'
  // What is left broke on the way: "terminated", a frame that is not JSON, a body that ends too early.
  return 'transient'
}

function byStatus(status: number, shouldRetry: boolean | undefined): FailureClass {
  // A server that forbids another try after a 429 means the quota, not the rate.
  if (status === 429 && shouldRetry === false) return 'quota_exhausted'
  const known = BY_STATUS[status]
  if (known) return known
  if (status >= 500) return 'transient'
  return shouldRetry === true ? 'transient' : 'invalid_request'
}

function isWorthRetrying(kind: FailureClass, evidence: Evidence): boolean {
  if (kind === 'transient') return evidence.shouldRetry !== false
  if (kind === 'rate_limit') return true
  return kind === 'misconfigured' && WORTH_A_TRY.has(evidence.transport ?? '')
}
