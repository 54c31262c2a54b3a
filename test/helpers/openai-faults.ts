/** Faults of real servers, as they look on the wire. */

/** Answers in place of the good one. */
export type Refusal = { status: number; headers?: Record<string, string>; body: unknown }

/** `after` counts the tokens before a fault inside a stream; `ms` delays the first byte. */
export type Fault =
  | { kind: keyof typeof REFUSALS; headers?: Record<string, string> }
  | { kind: 'reset_before' }
  | { kind: 'slow_first_byte'; ms: number }
  | {
      kind:
        | 'reset_midway'
        | 'close_early'
        | 'stall'
        | 'error_frame'
        | 'malformed'
        | 'length'
        | 'content_filter'
        | 'refusal'
      after?: number
    }
  /** The stream ends well, but says nothing about tokens, or hangs after its end. */
  | { kind: 'no_usage' | 'linger' }
  | { kind: 'not_a_picture' }
  | { kind: 'answer'; text: string }

const google = (quotaId: string, retryDelay: string) => [
  {
    error: {
      code: 429,
      message: 'You exceeded your current quota, please check your plan and billing details.',
      status: 'RESOURCE_EXHAUSTED',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId, quotaValue: '10' }] },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
      ],
    },
  },
]

export const REFUSALS = {
  rate_limit: {
    status: 429,
    headers: { 'retry-after': '2' },
    body: { error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
  },
  gemini_minute: { status: 429, body: google('GenerateRequestsPerMinutePerProjectPerModel-FreeTier', '36s') },
  gemini_day: { status: 429, body: google('GenerateRequestsPerDayPerProjectPerModel-FreeTier', '36s') },
  insufficient_quota: {
    status: 429,
    headers: { 'x-should-retry': 'false' },
    body: {
      error: {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        param: null,
        code: 'insufficient_quota',
      },
    },
  },
  openrouter_credits: { status: 402, body: { error: { message: 'Insufficient credits', code: 402 } } },
  server_error: {
    status: 500,
    body: { error: { message: 'The server had an error', type: 'server_error', code: null } },
  },
  overloaded: {
    status: 503,
    body: { error: { message: 'Overloaded', type: 'server_error', code: 'server_is_overloaded' } },
  },
  bad_gateway: { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><body>Bad gateway</body></html>' },
  bad_key: {
    status: 401,
    body: { error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' } },
  },
  ollama_no_model: {
    status: 404,
    body: { error: { message: "model 'x' not found", type: 'not_found_error', param: null, code: null } },
  },
  too_long: {
    status: 400,
    body: {
      error: {
        message: "This model's maximum context length is 8192 tokens.",
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    },
  },
  moderation: {
    status: 400,
    body: {
      error: {
        message: 'Your request was rejected by the safety system.',
        type: 'user_error',
        code: 'moderation_blocked',
      },
    },
  },
  no_json_schema: {
    status: 400,
    body: { error: { message: "'response_format.type' json_schema is not supported", type: 'invalid_request_error' } },
  },
  no_json_object: {
    status: 400,
    body: { error: { message: "'response_format.type' must be 'text'", type: 'invalid_request_error' } },
  },
} satisfies Record<string, Refusal>
