/** How long a server asks to be left alone, in each of the forms in which servers say it. */

export type WaitSources = { headers: Headers; details: Record<string, unknown>[]; metadata: unknown }

/** The longest wait that is asked for, in milliseconds from now, or null. */
export function waitOf({ headers, details, metadata }: WaitSources, nowMs: number): number | null {
  const asked = [
    millisecondsOf(headers.get('retry-after-ms')),
    retryAfterOf(headers.get('retry-after'), nowMs),
    ...details.map((detail) => durationOf(detail.retryDelay)),
  ].filter((ms): ms is number => ms !== null)
  if (asked.length > 0) return Math.max(...asked)
  return resetOf(headers, metadata, nowMs)
}

/** Go's and Google's durations: `36s`, `6m0s`, `20ms`, `1h2m3.5s`. */
export function durationOf(value: unknown): number | null {
  if (typeof value !== 'string' || !/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(value)) return null
  const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  return Math.round(parts.reduce((sum, [, n, unit]) => sum + Number(n) * unitMs[unit!]!, 0))
}

/** The next midnight in a time zone, as ISO. */
export function nextMidnight(nowMs: number, timeZone: string): string {
  const hours = new Intl.DateTimeFormat('en-US', { timeZone, hour: 'numeric', hourCycle: 'h23' })
  const hourMs = 3_600_000
  // Whole hours are enough: no zone of a provider is shifted by less, and clock changes are walked through.
  for (let ms = Math.floor(nowMs / hourMs) * hourMs + hourMs; ; ms += hourMs)
    if (Number(hours.format(ms)) === 0) return new Date(ms).toISOString()
}

/** Seconds or an HTTP date (RFC 9110 10.2.3). */
function retryAfterOf(value: string | null, nowMs: number): number | null {
  if (value === null) return null
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.round(Number(value) * 1_000)
  const dateMs = Date.parse(value)
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs)
}

function millisecondsOf(value: string | null): number | null {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Math.round(Number(value)) : null
}

/** OpenAI tells when each limit is whole again; only one that is used up counts. OpenRouter tells the time of day. */
function resetOf(headers: Headers, metadata: unknown, nowMs: number): number | null {
  const waits = ['requests', 'tokens']
    .filter((what) => headers.get(`x-ratelimit-remaining-${what}`)?.trim() === '0')
    .map((what) => durationOf(headers.get(`x-ratelimit-reset-${what}`)))
    .filter((ms): ms is number => ms !== null)
  if (waits.length > 0) return Math.max(...waits)
  const inBody = (metadata as { headers?: Record<string, unknown> } | undefined)?.headers?.['X-RateLimit-Reset']
  const resetMs = Number(headers.get('x-ratelimit-reset') ?? inBody)
  // A small number is something else, e.g. seconds; a moment in milliseconds has thirteen digits.
  return resetMs > 1e12 ? Math.max(0, resetMs - nowMs) : null
}
