/** What servers answer when they refuse, and what it means: the table of classify.test.ts. */
import type { FailureClass } from '../../src/providers/provider.ts'
import { REFUSALS } from '../helpers/openai-faults.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')

export type Row = {
  name: string
  status: number
  body: unknown
  headers?: Record<string, string>
  class: FailureClass
  retryable?: boolean
  retryAfterMs?: number | null
  resetsAt?: string | null
}

export const error = (code: unknown, message = 'no', more: object = {}) => ({ error: { message, code, ...more } })
/** 2026-11-22, 00:00 in California. */
const MIDNIGHT = '2026-11-22T08:00:00.000Z'

export const ROWS: Row[] = [
  { name: "OpenAI's rate limit", ...REFUSALS.rate_limit, class: 'rate_limit', retryable: true, retryAfterMs: 2_000 },
  {
    name: 'milliseconds',
    status: 429,
    body: error('slow_down'),
    headers: { 'retry-after-ms': '1500' },
    class: 'rate_limit',
    retryAfterMs: 1_500,
  },
  {
    name: 'an HTTP date',
    status: 429,
    body: error(null),
    headers: { 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' },
    class: 'rate_limit',
    retryAfterMs: 30_000,
  },
  {
    name: 'a date that has passed',
    status: 429,
    body: error(null),
    headers: { 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' },
    class: 'rate_limit',
    retryAfterMs: 0,
  },
  {
    name: 'the longest of several',
    status: 429,
    body: error(null),
    headers: { 'retry-after': '1', 'retry-after-ms': '1500' },
    class: 'rate_limit',
    retryAfterMs: 1_500,
  },
  {
    name: 'a limit that is used up',
    status: 429,
    body: error(null),
    headers: {
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
      'x-ratelimit-remaining-requests': '9',
      'x-ratelimit-reset-requests': '1h',
    },
    class: 'rate_limit',
    retryAfterMs: 360_000,
  },
  {
    name: "OpenRouter's reset",
    status: 429,
    body: error(429, 'slow', { metadata: { headers: { 'X-RateLimit-Reset': String(NOW + 5_000) } } }),
    class: 'rate_limit',
    retryAfterMs: 5_000,
  },
  {
    name: 'a forbidden retry of a 429',
    status: 429,
    body: error(null),
    headers: { 'x-should-retry': 'false' },
    class: 'quota_exhausted',
    retryable: false,
  },
  { name: "Gemini's minute", ...REFUSALS.gemini_minute, class: 'rate_limit', retryAfterMs: 36_000 },
  { name: "Gemini's day", ...REFUSALS.gemini_day, class: 'quota_exhausted', retryable: false, resetsAt: MIDNIGHT },
  {
    name: 'insufficient_quota',
    ...REFUSALS.insufficient_quota,
    class: 'quota_exhausted',
    retryable: false,
    resetsAt: null,
  },
  {
    name: 'a billing cause with the type only',
    status: 429,
    body: { error: { message: 'no', type: 'insufficient_quota', code: 'credit_balance_exhausted' } },
    class: 'quota_exhausted',
  },
  { name: 'a spend limit', status: 429, body: error('project_spend_limit_exceeded'), class: 'quota_exhausted' },
  { name: "OpenRouter's credits", ...REFUSALS.openrouter_credits, class: 'quota_exhausted', retryable: false },
  { name: 'a failed server', ...REFUSALS.server_error, class: 'transient', retryable: true, retryAfterMs: null },
  { name: 'an overloaded server', ...REFUSALS.overloaded, class: 'transient', retryable: true },
  { name: 'an HTML page', ...REFUSALS.bad_gateway, class: 'transient', retryable: true },
  {
    name: 'a 5xx that forbids a retry',
    status: 500,
    body: {},
    headers: { 'x-should-retry': 'false' },
    class: 'transient',
    retryable: false,
  },
  {
    name: 'a 4xx that asks for a retry',
    status: 400,
    body: {},
    headers: { 'x-should-retry': 'true' },
    class: 'transient',
    retryable: true,
  },
  ...[408, 409, 425, 504, 520, 529].map((status) => ({
    name: `a ${status}`,
    status,
    body: {},
    class: 'transient' as const,
    retryable: true,
  })),
  { name: 'a wrong key', ...REFUSALS.bad_key, class: 'misconfigured', retryable: false },
  {
    name: "Gemini's wrong key",
    status: 400,
    body: [
      {
        error: {
          code: 400,
          message: 'API key not valid.',
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
        },
      },
    ],
    class: 'misconfigured',
  },
  {
    name: 'a forbidden country',
    status: 403,
    body: error('unsupported_country_region_territory'),
    class: 'misconfigured',
  },
  { name: "Ollama's missing model", ...REFUSALS.ollama_no_model, class: 'misconfigured', retryable: false },
  {
    name: "Ollama's older form",
    status: 404,
    body: { error: "model 'x' not found, try pulling it first" },
    class: 'misconfigured',
  },
  { name: 'an unknown parameter', status: 400, body: error('unsupported_parameter'), class: 'misconfigured' },
  { name: 'moderation', ...REFUSALS.moderation, class: 'rejected', retryable: false },
  {
    name: "OpenRouter's moderation",
    status: 403,
    body: error(403, 'flagged', { metadata: { reasons: ['violence'], flagged_input: 'x' } }),
    class: 'rejected',
  },
  {
    name: "Azure's filter",
    status: 400,
    body: error('content_filter', 'filtered', { innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    class: 'rejected',
  },
  { name: 'too long', ...REFUSALS.too_long, class: 'invalid_request', retryable: false },
  { name: 'too large', status: 413, body: '<html>Too large</html>', class: 'invalid_request' },
  {
    name: "vLLM's flat form",
    status: 400,
    body: { object: 'error', message: 'bad', type: 'BadRequestError', code: 400 },
    class: 'invalid_request',
  },
]
