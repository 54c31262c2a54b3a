/** Which errors of a stage are worth another try: pure. */
import { AppError, errnoOf } from '../lib/errors.ts'

const RETRYABLE_STATUS = new Set([408, 409, 425, 429])

const RETRYABLE_ERRNO = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

/**
 * True for what time can heal: HTTP 408, 409, 425, 429 and 5xx, time-outs, resets, and whatever says
 * `retryable: true` of itself. A plain Error is a bug of the stage: trying again would only hide it.
 */
export function isRetryable(error: unknown): boolean {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    const own = (e as { retryable?: unknown }).retryable
    if (e instanceof AppError && e.code !== 'internal') return e.retryable || e.code === 'timeout'
    if (typeof own === 'boolean') return own
    const status = statusOf(e)
    if (status !== undefined) return status >= 500 || RETRYABLE_STATUS.has(status)
    if (e.name === 'TimeoutError' || RETRYABLE_ERRNO.has(errnoOf(e) ?? '')) return true
  }
  return false
}

function statusOf(error: Error): number | undefined {
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown }
  return typeof status === 'number' ? status : typeof statusCode === 'number' ? statusCode : undefined
}
