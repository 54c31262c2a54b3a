/** JSON that fits, from servers that know more or less of how to ask for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { JsonRequest } from '../../../src/providers/provider.ts'
import { memoryLedger, openRig, request } from './calls.ts'

const shape = z.strictObject({ title: z.string(), shots: z.array(z.string()).min(1) })
type Shape = z.output<typeof shape>

function wish(more: Partial<JsonRequest<Shape>> = {}): JsonRequest<Shape> {
  return { ...request(), name: 'story', schema: shape, jsonSchema: z.toJSONSchema(shape), ...more }
}

test('the best mode first', async (t) => {
  const { text, server } = await openRig(t)
  const deltas: string[] = []
  const answer = await text.json(wish({ onText: (delta) => deltas.push(delta) }))
  assert.deepEqual(JSON.parse(deltas.join('')), answer.value)
  assert.equal(answer.value.shots.length, 2)
  assert.equal(server.calls[0]!.body.response_format.type, 'json_schema')
  assert.equal(server.calls.length, 1)
})

test('falls to what the server knows, and remembers it', async (t) => {
  const { text, server } = await openRig(t)
  server.behaviour.faults = [{ kind: 'no_json_schema' }, { kind: 'no_json_object' }]
  const { value } = await text.json(wish())
  assert.equal(value.shots.length, 2)
  const modes = () => server.calls.map(({ body }) => body.response_format?.type ?? 'plain')
  assert.deepEqual(modes(), ['json_schema', 'json_object', 'plain'])
  assert.match(server.calls[2]!.body.messages[0].content, /JSON Schema:\n\{/)
  await text.json(wish())
  assert.deepEqual(modes().slice(3), ['plain'])
})

test('another refusal is no reason to ask in another way', async (t) => {
  const { text, server } = await openRig(t)
  server.behaviour.faults = [{ kind: 'too_long' }]
  await assert.rejects(text.json(wish()), { code: 'provider_failed', retryable: false })
  assert.equal(server.calls.length, 1)
})

test('one repair round, with what was wrong, and both rounds counted', async (t) => {
  const { text, server } = await openRig(t)
  server.behaviour.faults = [
    { kind: 'answer', text: '{"title": 7, "shots": ["a"]}' },
    { kind: 'answer', text: 'Here: {"title":"T","shots":["a"]}' },
  ]
  const deltas: string[] = []
  const { value, usage } = await text.json(wish({ onText: (delta) => deltas.push(delta) }))
  assert.deepEqual(value, { title: 'T', shots: ['a'] })
  assert.equal(usage.input_tokens, 200)
  assert.match(server.calls[1]!.body.messages[1].content, /"title": 7[\s\S]*expected string/)
  assert.equal(deltas.join('').split('\n\n').at(-1), 'Here: {"title":"T","shots":["a"]}')
})

test('a second bad answer is invalid output, and neither is kept', async (t) => {
  const { ledger, raws } = memoryLedger()
  const { text, server } = await openRig(t, { ledger })
  server.behaviour.always = { kind: 'answer', text: 'I would rather not.' }
  await assert.rejects(text.json(wish()), (error: any) => {
    assert.deepEqual([error.code, error.details.class, error.retryable], ['invalid_output', 'invalid_output', false])
    assert.match(error.message, /holds no JSON value/)
    return true
  })
  assert.deepEqual([server.calls.length, raws.size], [2, 0])
})

test('JSON that was cut off is not repaired: it would be cut again', async (t) => {
  const { text, server } = await openRig(t)
  server.behaviour.faults = [{ kind: 'length', after: 1 }]
  await assert.rejects(text.json(wish()), /length limit/)
  assert.equal(server.calls.length, 1)
})

test('a repaired answer is not paid for again', async (t) => {
  const { ledger } = memoryLedger()
  const { text, server } = await openRig(t, { ledger })
  server.behaviour.faults = [{ kind: 'answer', text: 'no' }]
  const first = await text.json(wish())
  const second = await text.json(wish())
  assert.deepEqual(second.value, first.value)
  assert.equal(server.calls.length, 2)
})
