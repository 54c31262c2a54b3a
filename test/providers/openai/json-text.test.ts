/** JSON out of what models say around it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extractJson } from '../../../src/providers/openai/json-text.ts'

test('finds the value', () => {
  const rows: Record<string, unknown> = {
    '{"a":1}': { a: 1 },
    ' [1,2]\n': [1, 2],
    'Here you are:\n```json\n{"a":1}\n```\nEnjoy!': { a: 1 },
    'Sure: {"a":"}] \\" {","b":[{}]} — done {x}': { a: '}] " {', b: [{}] },
    '<think>{"no":1}</think>{"a":1}': { a: 1 },
  }
  for (const [text, value] of Object.entries(rows)) assert.deepEqual(extractJson(text), value, text)
})

test('says so when there is none', () => {
  for (const text of ['', 'no', '42', '"text"', '{"a":', '{a:1}', '{"a":1'])
    assert.throws(() => extractJson(text), SyntaxError, text)
})
