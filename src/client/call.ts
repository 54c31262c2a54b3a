/** One HTTP call to the API: a deadline, a signal, and every failure as an AppError with the server's own code. */
import type { Problem } from '../api/schemas/problem.ts'
import { AppError, ERRORS, type ErrorCode } from '../lib/errors.ts'

export type ClientSettings = {
  /** Where the API listens, e.g. `http://127.0.0.1:8000`. */
  url: string
  token?: string
  fetch?: typeof fetch
  /** For a whole answer, of a file until it begins; 30 s when not given. */
  timeoutMs?: number
}

export type CallOptions = { signal?: AbortSignal }

export type Call = CallOptions & {
  method?: 'GET' | 'POST' | 'DELETE'
  query?: Record<string, string | number | undefined>
  body?: unknown
  headers?: Record<string, string>
  /** Statuses besides 2xx that are answers, not errors. */
  accept?: readonly number[]
}

/** The answer, its body unread. Throws `unavailable` (nobody answers), `timeout`, the signal's reason, or the problem. */
export function callApi(settings: ClientSettings, path: string, call: Call = {}): Promise<Response> {
  return send(settings, { path, call, read: async (response) => response })
}

/** The body of an answer as `T`: the server's schemas, which its tests hold it to, are the check. */
export function callJson<T>(settings: ClientSettings, path: string, call: Call = {}): Promise<T> {
  return send(settings, { path, call, read: (response) => response.json() as Promise<T> })
}

type Sending<T> = { path: string; call: Call; read: (response: Response) => Promise<T> }

/** The deadline covers `read` too. */
async function send<T>(settings: ClientSettings, { path, call, read }: Sending<T>): Promise<T> {
  call.signal?.throwIfAborted()
  const timer = new AbortController()
  const timeoutMs = settings.timeoutMs ?? 30_000
  const late = setTimeout(() => timer.abort(), timeoutMs)
  try {
    const signal = AbortSignal.any([timer.signal, ...(call.signal ? [call.signal] : [])])
    const response = await (settings.fetch ?? fetch)(
      urlFor(settings.url, path, call.query),
      initFor(settings, call, signal),
    )
    if (response.ok || call.accept?.includes(response.status)) return await read(response)
    throw await errorOf(response)
  } catch (error) {
    if (error instanceof AppError) throw error
    call.signal?.throwIfAborted()
    if (timer.signal.aborted) throw new AppError('timeout', `${settings.url} did not answer within ${timeoutMs} ms`)
    throw new AppError('unavailable', `Showrunner does not answer at ${settings.url}`, {
      cause: error,
      retryable: true,
    })
  } finally {
    clearTimeout(late)
  }
}

function urlFor(base: string, path: string, query: Call['query'] = {}): URL {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

function initFor(settings: ClientSettings, call: Call, signal: AbortSignal): RequestInit {
  const headers = {
    ...(settings.token === undefined ? {} : { Authorization: `Bearer ${settings.token}` }),
    ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...call.headers,
  }
  const body = call.body === undefined ? undefined : JSON.stringify(call.body)
  return { method: call.method ?? 'GET', headers, body, signal }
}

async function errorOf(response: Response): Promise<AppError> {
  const problem = await response.json().catch(() => undefined) // not from our server: the status has to do
  const { code, detail, request_id, errors } = (problem ?? {}) as Partial<Problem>
  const known = code !== undefined && code in ERRORS ? code : codeFor(response.status)
  const details = { status: response.status, request_id, ...(errors ? { errors } : {}) }
  const sentence = detail ?? `The server answered ${response.status} ${response.statusText}`
  return new AppError(known, sentence, { details, retryable: response.status >= 500 })
}

/** The first code of the table with this status, for answers that say no code. */
function codeFor(status: number): ErrorCode {
  const codes = Object.keys(ERRORS) as ErrorCode[]
  return codes.find((code) => ERRORS[code].status === status) ?? 'unavailable'
}
