/** Turns a failed call into the error that a stage throws: a code, a sentence that names the setting, and the class. */
import { AppError, type ErrorCode } from '../lib/errors.ts'
import { classifyError, type Failure } from './classify.ts'
import type { FailureClass } from './provider.ts'

/** What was called; `setting` names the model's variable. `secret` never appears in a message. */
export type Called = {
  provider: string
  model: string
  setting: string
  where: string
  secret: string | null
  requestId?: string | null
}

const CODES: Record<FailureClass, ErrorCode> = {
  cancelled: 'cancelled',
  rate_limit: 'rate_limit',
  quota_exhausted: 'quota_exhausted',
  transient: 'provider_failed',
  misconfigured: 'misconfigured',
  rejected: 'rejected',
  invalid_request: 'provider_failed',
  invalid_output: 'invalid_output',
}

/** An AppError with `details: {class, retry_after_ms, resets_at, provider, model, request_id}`. */
export function providerError(error: unknown, called: Called): AppError {
  if (error instanceof AppError && error.details?.class !== undefined) return error
  const failure = classifyError(error)
  const requestId = (error as { requestID?: string | null } | undefined)?.requestID
  return failureError(failure, { ...called, requestId: requestId ?? called.requestId }, error)
}

/** A failure that we found ourselves, e.g. an answer that does not fit. */
export function ownFailure(kind: FailureClass, message: string, called: Called): AppError {
  const retryable = kind === 'transient' || kind === 'rate_limit'
  return failureError({ class: kind, retryable, retryAfterMs: null, resetsAt: null, message }, called)
}

/** True when the answer itself is at fault; a full disk or a missing program must not cost a paid answer. */
export function isBadAnswer(error: unknown): boolean {
  return error instanceof AppError && ['program_failed', 'invalid_output', 'provider_failed'].includes(error.code)
}

function failureError(failure: Failure, called: Called, cause?: unknown): AppError {
  return new AppError(CODES[failure.class], sentence(failure, called), {
    // The SDK's errors hold the headers of the answer; none of them holds the key.
    cause,
    retryable: failure.retryable,
    details: {
      class: failure.class,
      retry_after_ms: failure.retryAfterMs,
      resets_at: failure.resetsAt,
      provider: called.provider,
      model: called.model,
      request_id: called.requestId ?? null,
    },
  })
}

function sentence(failure: Failure, called: Called): string {
  const said = called.secret ? failure.message.replaceAll(called.secret, '***') : failure.message
  const hint = failure.class === 'misconfigured' ? `; check ${called.setting}, OPENAI_API_KEY and OPENAI_BASE_URL` : ''
  return `${called.model} at ${called.where}: ${said}${hint}`
}
