/** Streamed answers from a real server over real sockets, and every way in which they break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../../src/lib/errors.ts'
import { until } from '../../../src/lib/until.ts'
import { answerTo } from '../../helpers/openai-answers.ts'
import type { Fault } from '../../helpers/openai-faults.ts'
import { consume, memoryLedger, openRig, request } from './calls.ts'

const BODY = {
  model: 'm',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Tell a story.' },
  ],
}

test('streams the text, and tells what the whole call was', async (t) => {
  const { text, server, records } = await openRig(t, { model: 'gpt-5.4' })
  const { deltas, answer } = await consume(text.stream(request({ maxTokens: 100 })))
  assert.equal(deltas.join(''), answerTo(BODY))
  assert.ok(deltas.length > 10, 'it came in pieces')
  const { cost_usd, ...counts } = answer!.usage
  assert.deepEqual(counts, { input_tokens: 100, output_tokens: 40 })
  assert.ok(Math.abs(cost_usd! - (100 * 2.5 + 40 * 15) / 1e6) < 1e-12)
  assert.deepEqual(
    { ...answer, usage: 0 },
    {
      text: deltas.join(''),
      finish: 'stop',
      usage: 0,
      usageSource: 'reported',
      model: 'gpt-5.4',
      requestId: 'req-1',
      degraded: [],
    },
  )
  const { body, headers } = server.calls[0]!
  assert.deepEqual(Object.keys(body).sort(), ['max_tokens', 'messages', 'model', 'stream', 'stream_options'])
  assert.equal(headers.authorization, 'Bearer sk-test')
  assert.match(headers['x-client-request-id']!, /^k:[0-9a-f]{16}$/)
  assert.deepEqual(
    records.map((r) => [r.kind, r.model, r.failure, r.usage_source]),
    [['text', 'gpt-5.4', null, 'reported']],
  )
})

test('another server never hears whose organization this is', async (t) => {
  process.env.OPENAI_ORG_ID = 'org-secret'
  process.env.OPENAI_PROJECT_ID = 'project-secret'
  t.after(() => {
    delete process.env.OPENAI_ORG_ID
    delete process.env.OPENAI_PROJECT_ID
  })
  const { text, server } = await openRig(t)
  await consume(text.stream(request()))
  assert.ok(!JSON.stringify(server.calls).includes('-secret'))
})

const BROKEN: [Fault, string, boolean][] = [
  [{ kind: 'reset_before' }, 'transient', true],
  [{ kind: 'reset_midway', after: 5 }, 'transient', true],
  [{ kind: 'close_early', after: 5 }, 'transient', true],
  [{ kind: 'close_early', after: 0 }, 'transient', true],
  [{ kind: 'error_frame', after: 5 }, 'transient', true],
  [{ kind: 'malformed', after: 5 }, 'transient', true],
  [{ kind: 'content_filter', after: 5 }, 'rejected', false],
  [{ kind: 'refusal', after: 0 }, 'rejected', false],
  [{ kind: 'length', after: 0 }, 'invalid_output', false],
  [{ kind: 'rate_limit' }, 'rate_limit', true],
  [{ kind: 'gemini_day' }, 'quota_exhausted', false],
  [{ kind: 'insufficient_quota' }, 'quota_exhausted', false],
  [{ kind: 'bad_gateway' }, 'transient', true],
  [{ kind: 'bad_key' }, 'misconfigured', false],
]

for (const [fault, kind, retryable] of BROKEN)
  test(`${JSON.stringify(fault)} is ${kind}, and one request`, async (t) => {
    const { text, server, records } = await openRig(t)
    server.behaviour.faults = [fault]
    const { error, deltas } = await consume(text.stream(request()))
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.details?.class, error.retryable], [kind, retryable])
    assert.equal(server.calls.length, 1)
    assert.equal(records.length, 1)
    if (fault.kind === 'reset_midway' || fault.kind === 'close_early') {
      assert.equal(deltas.length, fault.after ?? 0)
      assert.equal(records[0]!.usage.output_tokens > 0, deltas.length > 0)
      assert.equal(records[0]!.usage_source, 'estimated')
    }
  })

test('a stall is noticed, a slow first byte is not taken for one', async (t) => {
  const { text, server } = await openRig(t, { limits: { idleMs: 1_000, firstByteMs: 20_000 } })
  server.behaviour.faults = [
    { kind: 'stall', after: 3 },
    { kind: 'slow_first_byte', ms: 2_000 },
  ]
  const stalled = await consume(text.stream(request()))
  assert.equal(stalled.deltas.length, 3)
  assert.deepEqual([stalled.error.details.class, stalled.error.retryable], ['transient', true])
  assert.match(stalled.error.message, /nothing came for 1 s/)
  assert.equal((await consume(text.stream(request()))).answer?.finish, 'stop')
})

test('a first byte that never comes is given up', async (t) => {
  const { text, server } = await openRig(t, { limits: { firstByteMs: 200 } })
  server.behaviour.faults = [{ kind: 'slow_first_byte', ms: 2_000 }]
  const { error } = await consume(text.stream(request()))
  assert.deepEqual([error.details.class, error.retryable], ['transient', true])
})

test('a whole answer survives what breaks after its end; tokens are then guessed', async (t) => {
  const { text, server } = await openRig(t, { limits: { idleMs: 1_000 } })
  server.behaviour.faults = [{ kind: 'no_usage' }, { kind: 'linger' }]
  for (const _ of server.behaviour.faults.slice()) {
    const { answer } = await consume(text.stream(request()))
    assert.deepEqual([answer?.finish, answer?.usageSource, answer?.text], ['stop', 'estimated', answerTo(BODY)])
    assert.ok(answer!.usage.output_tokens > 10)
    assert.equal(answer!.usage.cost_usd, null)
  }
})

test('a text that reached its limit says so', async (t) => {
  const { text, server } = await openRig(t)
  server.behaviour.faults = [{ kind: 'length', after: 7 }]
  const { answer, deltas } = await consume(text.stream(request()))
  assert.deepEqual([answer?.finish, deltas.length, answer?.degraded.length], ['length', 7, 1])
})

test('a cancel ends the call at once, with the reason of the signal', async (t) => {
  const { text, server, records } = await openRig(t)
  server.behaviour.tokenMs = 4_000
  const abort = new AbortController()
  const running = consume(text.stream(request({ signal: abort.signal })))
  await until(() => server.calls.length === 1, { timeoutMs: 5_000 })
  const startedMs = performance.now()
  abort.abort('cancelled')
  assert.equal((await running).error, 'cancelled')
  assert.ok(performance.now() - startedMs < 2_000, 'not only when the next token comes')
  await until(() => records.length === 1, { timeoutMs: 10_000 })
  assert.equal(records[0]!.failure, 'cancelled')
  assert.equal(server.calls[0]!.ended, false)
})

test('a consumer that leaves ends the call', async (t) => {
  const { text, server, records } = await openRig(t)
  server.behaviour.tokenMs = 50
  for await (const _ of text.stream(request())) break
  await until(() => records.length === 1, { timeoutMs: 10_000 })
  assert.equal(server.calls[0]!.ended, false)
})

test('an answer is stored before it is used, and never paid for twice', async (t) => {
  const { ledger, raws, events } = memoryLedger()
  const { text, server, records } = await openRig(t, { ledger })
  const first = await consume(text.stream(request()))
  const second = await consume(text.stream(request()))
  assert.deepEqual(second.answer, first.answer)
  assert.deepEqual(second.deltas, [first.answer!.text])
  assert.deepEqual([server.calls.length, records.length, raws.size], [1, 1, 1])
  assert.deepEqual(events, ['before', 'after', 'before'])
  await consume(text.stream(request({ user: 'Tell another story.' })))
  assert.equal(server.calls.length, 2, 'another question is another call')
})

test('a call that failed is open again, and a useless answer forgotten', async (t) => {
  const { ledger, raws, events } = memoryLedger()
  const { text, server } = await openRig(t, { ledger })
  server.behaviour.faults = [{ kind: 'close_early' }, { kind: 'content_filter' }]
  await consume(text.stream(request()))
  assert.deepEqual(events.splice(0), ['before', 'refused'])
  await consume(text.stream(request()))
  assert.deepEqual(events.splice(0), ['before', 'after', 'forget'])
  assert.equal(raws.size, 0)
  assert.equal((await consume(text.stream(request()))).answer?.finish, 'stop')
})

test('a ledger on a full disk is no failure of the provider', async (t) => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const { ledger } = memoryLedger()
  const { text } = await openRig(t, { ledger: { ...ledger, after: () => Promise.reject(full) } })
  assert.equal((await consume(text.stream(request()))).error, full)
})
