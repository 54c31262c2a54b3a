/** One error class, and the one table that gives every code its HTTP status and exit code. */

/** `status` answers HTTP, `exit` ends a command; `title` is the short sentence for people. */
export const ERRORS = {
  invalid_json: { status: 400, exit: 2, title: 'The body is not valid JSON' },
  unauthorized: { status: 401, exit: 1, title: 'A token is needed' },
  forbidden: { status: 403, exit: 1, title: 'Not allowed' },
  not_found: { status: 404, exit: 4, title: 'Not found' },
  method_not_allowed: { status: 405, exit: 1, title: 'This method is not supported here' },
  wrong_state: { status: 409, exit: 5, title: 'Not possible in the present state' },
  in_progress: { status: 409, exit: 5, title: 'A request with this key is still running' },
  artifact_missing: { status: 410, exit: 4, title: 'The file is gone from the disk' },
  body_too_large: { status: 413, exit: 2, title: 'The body is too large' },
  wrong_media_type: { status: 415, exit: 2, title: 'The media type is not supported' },
  range_not_satisfiable: { status: 416, exit: 1, title: 'The requested range is outside the file' },
  upgrade_required: { status: 426, exit: 1, title: 'This path speaks WebSocket only' },
  invalid_value: { status: 422, exit: 2, title: 'A value is not valid' },
  key_reused: { status: 422, exit: 2, title: 'This Idempotency-Key was used with another body' },
  missing_program: { status: 503, exit: 69, title: 'A program that this needs is not installed' },
  unavailable: { status: 503, exit: 69, title: 'A service that this needs is not reachable' },
  disk: { status: 507, exit: 1, title: 'The disk is full or cannot be written' },
  internal: { status: 500, exit: 1, title: 'Something went wrong inside' },
  settings: { status: 500, exit: 2, title: 'The settings are not valid' },
  conflict: { status: 409, exit: 5, title: 'Something else is in the way' },
  timeout: { status: 504, exit: 124, title: 'It took too long' },
  time_limit: { status: 500, exit: 124, title: 'The stage ran into its time limit' },
  cancelled: { status: 409, exit: 1, title: 'Cancelled' },
  interrupted: { status: 409, exit: 1, title: 'Interrupted; it continues on the next start' },
  superseded: { status: 409, exit: 1, title: 'Another worker has taken this over' },
  program_failed: { status: 500, exit: 1, title: 'A program failed' },
  invalid_output: { status: 500, exit: 1, title: 'The result did not pass its checks' },
  ambiguous_call: { status: 409, exit: 1, title: 'A paid call was cut off more than once' },
  rate_limit: { status: 503, exit: 1, title: 'A provider asks to wait' },
  quota_exhausted: { status: 503, exit: 1, title: "A provider's quota is used up" },
  rejected: { status: 422, exit: 1, title: 'A provider refused the content' },
  misconfigured: { status: 503, exit: 2, title: 'A provider cannot be used with these settings' },
  provider_failed: { status: 502, exit: 1, title: 'A provider failed' },
  poison: { status: 500, exit: 1, title: 'The stage ended its worker twice' },
  stage_failed: { status: 500, exit: 1, title: 'The stage failed' },
} as const

export type ErrorCode = keyof typeof ERRORS

export type ErrorFacts = { cause?: unknown; retryable?: boolean; details?: Record<string, unknown> }

/** An expected failure: a stable code, one sentence for people, and whether trying again can help. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.retryable = facts.retryable ?? false
    this.details = facts.details
  }
}

/** Errno codes that mean: the disk, not the work, is the problem. */
const DISK_ERRNOS = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EFBIG'])

/** True when the cause chain of `error` ends in a full, read-only or failing disk. */
export function isDiskError(error: unknown): boolean {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    if (e instanceof AppError && e.code === 'disk') return true
    if (DISK_ERRNOS.has(errnoOf(e) ?? '')) return true
  }
  return false
}

/** The `code` that Node puts on system errors, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** Any thrown value as an AppError; what is not one of ours becomes `fallback` and keeps its cause. */
export function toAppError(error: unknown, fallback: ErrorCode = 'internal'): AppError {
  if (error instanceof AppError) return error
  if (isDiskError(error)) return new AppError('disk', messageOf(error), { cause: error })
  return new AppError(fallback, messageOf(error), { cause: error })
}

/** Where it happened, with what its causes say; null when something else than an error was thrown. */
export function stackOf(error: unknown, depth = 0): string | null {
  if (!(error instanceof Error) || depth > 8) return null
  const own = error.stack ?? String(error)
  const cause = stackOf(error.cause, depth + 1)
  return cause === null ? own : `${own}\nCaused by: ${cause}`
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
