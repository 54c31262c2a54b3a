/** Errors on the wire: application/problem+json (RFC 9457) with a stable code and the request's id. */
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError, ERRORS, type ErrorCode, isDiskError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { ApiContext } from './context.ts'
import type { FieldError, Problem } from './schemas/problem.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** What the libraries throw for a request that they refuse. */
const BY_STATUS: Record<number, ErrorCode> = {
  400: 'invalid_json',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  415: 'wrong_media_type',
}

/** Turns anything thrown into the answer; what we did not foresee is logged and shown without detail. */
export function problemResponse(thrown: unknown, c: ApiContext, log: Log): Response {
  const error = expectedError(thrown)
  const requestId = c.get('requestId')
  report({ error, thrown, requestId, path: c.req.path, aborted: c.req.raw.signal.aborted }, log)
  const problem = problemOf(error, { requestId, path: c.req.path })
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'Content-Type': PROBLEM_TYPE,
    ...headersFor(error),
  })
}

/** The body for `error`; pure, so that the server can answer what never reaches the app. */
export function problemOf(error: AppError, request: { requestId: string; path: string }): Problem {
  const { status, title } = ERRORS[error.code]
  const errors = error.details?.errors
  return {
    type: `urn:showrunner:error:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    instance: request.path,
    request_id: request.requestId,
    ...(Array.isArray(errors) ? { errors: errors as FieldError[] } : {}),
  }
}

function expectedError(thrown: unknown): AppError {
  if (thrown instanceof AppError && thrown.code !== 'internal') return thrown
  if (thrown instanceof HTTPException) {
    const code = BY_STATUS[thrown.status]
    if (code) return new AppError(code, ERRORS[code].title, { cause: thrown })
  }
  // The system's own words name paths of this machine: they belong in the log only.
  if (isDiskError(thrown)) return new AppError('disk', ERRORS.disk.title, { cause: thrown })
  return new AppError('internal', 'The log has the details, under this request_id', { cause: thrown })
}

type Incident = { error: AppError; thrown: unknown; requestId: string; path: string; aborted: boolean }

function report({ error, thrown, requestId, path, aborted }: Incident, log: Log): void {
  const facts = { request_id: requestId, path, code: error.code }
  // A caller who hung up makes reads fail; that is no fault of ours.
  if (aborted) log.debug(facts, 'the caller went away')
  else if (error.code === 'internal') log.error({ ...facts, error: thrown }, 'a request failed unexpectedly')
  else if (ERRORS[error.code].status >= 500) log.warn({ ...facts, error: thrown }, error.message)
  else log.debug(facts, error.message)
}

function headersFor(error: AppError): Record<string, string> {
  const headers: Record<string, string> = {}
  if (error.code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer realm="showrunner"'
  if (typeof error.details?.allow === 'string') headers.Allow = error.details.allow
  if (typeof error.details?.content_range === 'string') headers['Content-Range'] = error.details.content_range
  if (error.code === 'in_progress' || error.code === 'unavailable') headers['Retry-After'] = '1'
  return headers
}
