/** Every class, from the answers that real servers give, through the real client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { AppError } from '../../src/lib/errors.ts'
import { classifyError } from '../../src/providers/classify.ts'
import { providerError } from '../../src/providers/errors.ts'
import { error, NOW, ROWS, type Row } from './failure-rows.ts'

for (const row of ROWS)
  test(`${row.name} is ${row.class}`, async () => {
    const failure = classifyError(await thrownFor(row), NOW)
    const expected = { ...pick(row, ['class', 'retryable', 'retryAfterMs', 'resetsAt']) }
    assert.deepEqual(pick(failure, Object.keys(expected)), expected)
  })

test('an error inside a stream has no status, only a code', () => {
  const server = new OpenAI.APIError(
    undefined,
    { message: 'no', code: null, type: 'server_error' },
    undefined,
    undefined,
  )
  const gateway = new OpenAI.APIError(undefined, { message: 'no', code: 502 }, undefined, undefined)
  const limit = new OpenAI.APIError(undefined, { message: 'no', code: 429 }, undefined, undefined)
  assert.deepEqual(
    [server, gateway, limit].map((e) => classifyError(e).class),
    ['transient', 'transient', 'rate_limit'],
  )
})

test('an abort is cancelled, and a torn body transient', () => {
  const torn = new TypeError('terminated', {
    cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  })
  assert.equal(classifyError(new OpenAI.APIUserAbortError()).class, 'cancelled')
  assert.equal(classifyError(new DOMException('x', 'AbortError')).class, 'cancelled')
  assert.deepEqual(pick(classifyError(torn), ['class', 'retryable']), { class: 'transient', retryable: true })
  assert.equal(classifyError(new OpenAI.APIConnectionTimeoutError()).class, 'transient')
})

test('an address where nothing listens is misconfigured, but tried again: a local server may be starting', async () => {
  const port = 2 // nobody is given one that low; one that was free a moment ago could be somebody else's
  const failure = classifyError(
    await thrownBy(new OpenAI({ apiKey: 'x', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 })),
  )
  assert.deepEqual(pick(failure, ['class', 'retryable']), { class: 'misconfigured', retryable: true })
  assert.match(failure.message, /ECONNREFUSED/)
})

test('the error of a stage has the code, the facts and the setting, and never the key', async () => {
  const called = {
    provider: 'openai',
    model: 'gpt-x',
    setting: 'TEXT_MODEL',
    where: 'api.openai.com',
    secret: 'sk-secret',
  }
  const body = error('invalid_api_key', 'Incorrect API key: sk-secret')
  const thrown = await thrownFor({ status: 401, body, headers: { 'x-request-id': 'req-7' } })
  const made = providerError(thrown, called)
  assert.equal(made.code, 'misconfigured')
  assert.match(made.message, /^gpt-x at api\.openai\.com: .*\*\*\*; check TEXT_MODEL, OPENAI_API_KEY/)
  assert.ok(!JSON.stringify([made.message, made.details]).includes('sk-secret'))
  assert.deepEqual(made.details, {
    class: 'misconfigured',
    retry_after_ms: null,
    resets_at: null,
    provider: 'openai',
    model: 'gpt-x',
    request_id: 'req-7',
  })
  assert.equal(providerError(made, called), made)
  assert.equal(
    classifyError(new AppError('invalid_output', 'no', { details: { class: 'invalid_output' } })).class,
    'invalid_output',
  )
})

async function thrownFor({ status, body, headers }: Pick<Row, 'status' | 'body' | 'headers'>): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const fetch = async () => new Response(text, { status, headers: { 'content-type': 'application/json', ...headers } })
  return thrownBy(new OpenAI({ apiKey: 'x', maxRetries: 0, fetch }))
}

async function thrownBy(client: OpenAI): Promise<unknown> {
  try {
    await client.models.list()
  } catch (thrown) {
    return thrown
  }
  throw new Error('the call did not fail')
}

function pick(value: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name, v]) => names.includes(name) && v !== undefined))
}
