/** What is sent to whom: nothing that a server does not know. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chatBody, type Dialect, dialectOf, imageBody } from '../../../src/providers/openai/dialect.ts'

test('the address tells the dialect', () => {
  const rows: Record<string, Dialect> = {
    'https://api.openai.com/v1': 'openai',
    'https://eu.api.openai.com/v1': 'openai',
    'https://generativelanguage.googleapis.com/v1beta/openai/': 'gemini',
    'http://localhost:11434/v1': 'ollama',
    'http://ollama:8080/v1': 'ollama',
    'https://openrouter.ai/api/v1': 'openrouter',
    'http://localhost:1234/v1': 'generic',
    'https://openai.com.example.org/v1': 'generic',
    'https://notopenrouter.ai/v1': 'generic',
  }
  for (const [url, dialect] of Object.entries(rows)) assert.equal(dialectOf(url), dialect, url)
})

const WISH = { model: 'm', system: 's', user: 'u', maxTokens: 9, temperature: 0.5 }
const BASE = ['messages', 'model', 'stream', 'stream_options']

test('each dialect gets its own parameters and no other', () => {
  const rows: Record<Dialect, string[]> = {
    openai: [...BASE, 'max_completion_tokens'],
    gemini: [...BASE, 'max_tokens', 'temperature'],
    ollama: [...BASE, 'max_tokens', 'temperature'],
    openrouter: [...BASE, 'max_tokens', 'temperature'],
    generic: [...BASE, 'max_tokens', 'temperature'],
  }
  for (const [dialect, names] of Object.entries(rows))
    assert.deepEqual(Object.keys(chatBody(dialect as Dialect, WISH)).sort(), names.sort(), dialect)
  assert.deepEqual(chatBody('openai', WISH).stream_options, { include_usage: true, include_obfuscation: false })
  assert.deepEqual(chatBody('generic', WISH).stream_options, { include_usage: true })
  assert.deepEqual(Object.keys(chatBody('ollama', { model: 'm', system: 's', user: 'u' })).sort(), [...BASE].sort())
})

test("a temperature goes only to those of OpenAI's models that take one", () => {
  const takes = (model: string) => 'temperature' in chatBody('openai', { ...WISH, model })
  assert.deepEqual(['gpt-4.1-mini', 'ft:gpt-4o:x', 'gpt-5.4', 'o3', 'gpt-6-sol'].map(takes), [
    true,
    true,
    false,
    false,
    false,
  ])
})

test('strict schemas go only where strictness is known', () => {
  const format = (dialect: Dialect, mode: 'json_schema' | 'json_object' | 'plain') =>
    (chatBody(dialect, { ...WISH, json: { mode, name: 'n', jsonSchema: { type: 'object' } } }) as any).response_format
  const schema = { name: 'n', schema: { type: 'object' } }
  assert.deepEqual(format('openai', 'json_schema'), { type: 'json_schema', json_schema: { ...schema, strict: true } })
  assert.deepEqual(format('ollama', 'json_schema'), { type: 'json_schema', json_schema: schema })
  assert.deepEqual(format('generic', 'json_object'), { type: 'json_object' })
  assert.equal(format('generic', 'plain'), undefined)
})

test('pictures are asked for in sizes that the model has', () => {
  const body = (dialect: Dialect, model: string, [width, height] = [1920, 1080]) =>
    imageBody(dialect, { model, prompt: 'p', width: width!, height: height! })
  assert.deepEqual(body('openai', 'gpt-image-1-mini'), {
    model: 'gpt-image-1-mini',
    prompt: 'p',
    n: 1,
    size: '1536x1024',
  })
  assert.equal(body('openai', 'gpt-image-1.5', [720, 1280]).size, '1024x1536')
  assert.equal(body('openai', 'gpt-image-1.5', [800, 800]).size, '1024x1024')
  assert.equal(body('openai', 'gpt-image-2').size, '1360x768')
  assert.deepEqual(body('gemini', 'g'), { model: 'g', prompt: 'p', n: 1, response_format: 'b64_json' })
  assert.equal(body('generic', 'sd').response_format, 'b64_json')
  for (const [w, h] of [
    [1920, 1080],
    [900, 1600],
    [1000, 1000],
  ] as const)
    for (const side of body('openai', 'gpt-image-2', [w, h]).size!.split('x')) assert.equal(Number(side) % 16, 0)
})
