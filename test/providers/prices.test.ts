/** Costs: known ones exact, unknown ones null. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf, PRICES } from '../../src/providers/prices.ts'
import { estimateTokens, sumUsage } from '../../src/providers/usage.ts'

test('tokens, cached tokens and characters at their prices', () => {
  const table = {
    m: { input_cost_per_token: 2e-6, cache_read_input_token_cost: 1e-6, output_cost_per_token: 1e-5 },
    voice: { input_cost_per_character: 1.5e-5 },
  }
  const close = (a: number | null, b: number) => assert.ok(a !== null && Math.abs(a - b) < 1e-12, `${a} is not ${b}`)
  close(costOf('m', { inputTokens: 1_000, outputTokens: 100 }, table), 0.003)
  close(costOf('m', { inputTokens: 1_000, cachedTokens: 500, outputTokens: 100 }, table), 0.0025)
  close(costOf('m-2026-01-31', { inputTokens: 1_000 }, table), 0.002)
  close(costOf('voice', { characters: 1_000 }, table), 0.015)
})

test('no price means null, never 0', () => {
  assert.equal(costOf('unheard-of', { inputTokens: 5 }), null)
  assert.equal(costOf('tts-1', { inputTokens: 5 }), null)
  assert.equal(costOf('m', {}, { m: { input_cost_per_token: 1 } }), null)
  for (const [model, price] of Object.entries(PRICES))
    assert.ok(
      Object.values(price).every((each) => each > 0 && each < 0.001),
      model,
    )
})

test('a sum with one unknown cost is unknown', () => {
  const usage = (cost_usd: number | null) => ({ input_tokens: 1, output_tokens: 2, cost_usd })
  assert.deepEqual(sumUsage([usage(1), usage(2)]), { input_tokens: 2, output_tokens: 4, cost_usd: 3 })
  assert.equal(sumUsage([usage(1), usage(null)]).cost_usd, null)
  assert.equal(sumUsage([]).cost_usd, null)
})

test('a guess counts ideographs nearly one by one', () => {
  assert.equal(estimateTokens(''), 0)
  assert.equal(estimateTokens('abcdefgh'), 2)
  assert.equal(estimateTokens('灯火海灯火海灯火海灯'), 9)
})
