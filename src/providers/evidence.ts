/** Reads out of a thrown value what a decision needs: the many shapes of errors are known here and nowhere else. */
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import type { FailureClass } from './provider.ts'
import { nextMidnight, waitOf } from './waits.ts'

export type Evidence = {
  aborted: boolean
  /** Set when the error is one of ours that was classified already. */
  ownClass: FailureClass | undefined
  status: number | undefined
  /** Codes, types and reasons that the body names, in lower case. */
  codes: string[]
  /** Which of Google's quotas is used up. */
  quota: 'day' | 'minute' | undefined
  moderated: boolean
  shouldRetry: boolean | undefined
  transport: string | undefined
  retryAfterMs: number | null
  resetsAt: string | null
  message: string
}

type Body = Record<string, unknown>

/** Google counts days in this time zone. */
const GOOGLE_ZONE = 'America/Los_Angeles'
const MESSAGE_MAX = 500

export function evidenceOf(error: unknown, nowMs: number): Evidence {
  const facts = (error ?? {}) as { status?: unknown; headers?: unknown }
  const body = bodyOf(error)
  const details = detailsOf(body)
  const headers = facts.headers instanceof Headers ? facts.headers : new Headers()
  const quota = googleQuota(details)
  const own = error instanceof AppError ? error.details : undefined
  return {
    aborted: isAbort(error),
    ownClass: own?.class as FailureClass | undefined,
    status: statusOf(facts.status, body),
    codes: codesOf(error, body, details),
    quota,
    moderated: Array.isArray((body.metadata as Body | undefined)?.reasons),
    shouldRetry: flagOf(headers.get('x-should-retry')),
    transport: transportOf(error),
    retryAfterMs:
      (own?.retry_after_ms as number | undefined) ?? waitOf({ headers, details, metadata: body.metadata }, nowMs),
    resetsAt: (own?.resets_at as string | undefined) ?? (quota === 'day' ? nextMidnight(nowMs, GOOGLE_ZONE) : null),
    message: sentenceOf(error, body),
  }
}

/** The SDK's own class for it carries no name of its own. */
function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'AbortError' || error.constructor.name === 'APIUserAbortError'
}

/** The `error` object of the answer: as the SDK found it, or inside Google's array, which reaches us as a message. */
function bodyOf(error: unknown): Body {
  const known = (error as { error?: unknown } | undefined)?.error
  if (isObject(known)) return isObject(known.error) ? known.error : known
  const text = messageOf(error).replace(/^\d{3} /, '')
  if (!/^\s*[[{]/.test(text)) return {}
  try {
    const parsed: unknown = JSON.parse(text)
    const first = Array.isArray(parsed) ? parsed[0] : parsed
    return isObject(first) ? (isObject(first.error) ? first.error : first) : {}
  } catch {
    return {} // a text that only looks like JSON is a message like any other
  }
}

function detailsOf(body: Body): Body[] {
  return Array.isArray(body.details) ? body.details.filter(isObject) : []
}

/** Inside a stream there is no status any more: OpenRouter then puts it into `code`. */
function statusOf(status: unknown, body: Body): number | undefined {
  if (typeof status === 'number') return status
  return typeof body.code === 'number' && body.code >= 400 ? body.code : undefined
}

function codesOf(error: unknown, body: Body, details: Body[]): string[] {
  const own = error as { code?: unknown; type?: unknown } | undefined
  const inner = isObject(body.innererror) ? body.innererror.code : undefined
  const named = [body.code, own?.code, inner, body.type, own?.type, ...details.map((detail) => detail.reason)]
  return named.filter((name): name is string => typeof name === 'string').map((name) => name.toLowerCase())
}

/** QuotaFailure names what was exceeded, e.g. `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. */
function googleQuota(details: Body[]): 'day' | 'minute' | undefined {
  const violations = details.flatMap((detail) => (Array.isArray(detail.violations) ? detail.violations : []))
  const ids = violations.filter(isObject).map((violation) => String(violation.quotaId ?? ''))
  if (ids.some((id) => /PerDay/.test(id))) return 'day'
  return ids.some((id) => /PerMinute/.test(id)) ? 'minute' : undefined
}

function flagOf(value: string | null): boolean | undefined {
  return value === 'true' ? true : value === 'false' ? false : undefined
}

/** The errno at the end of the chain of causes: fetch wraps it twice, the SDK once more. */
function transportOf(error: unknown): string | undefined {
  let found: string | undefined
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    const code = errnoOf(e)
    if (code && /^[A-Z][A-Z0-9_]+$/.test(code)) found = code
  }
  return found
}

/** One line for people; an HTML page of a proxy is no sentence. */
function sentenceOf(error: unknown, body: Body): string {
  const said = typeof body.message === 'string' ? body.message : messageOf(error)
  const html = /^(\d{3} )?\s*<(!doctype|html)/i.exec(said)
  if (html) return `${html[1] ?? ''}an HTML page instead of an answer`
  const cause = error instanceof Error && error.cause instanceof Error ? deepest(error.cause) : undefined
  const text = cause && !said.includes(cause.message) ? `${said} (${cause.message})` : said
  return text.replace(/\s+/g, ' ').trim().slice(0, MESSAGE_MAX)
}

function deepest(error: Error): Error {
  return error.cause instanceof Error ? deepest(error.cause) : error
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
