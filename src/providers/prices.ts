/**
 * What calls cost: a small dated table in the format of LiteLLM's `model_prices_and_context_window.json`
 * (US dollars per single unit). A model that is not in it costs null, never 0.
 */

/** Day on which the figures were read from the providers' pages. */
export const PRICES_DATE = '2026-11-05'

/** The fields of LiteLLM's format that are used here; unknown ones are ignored. */
export type Price = {
  input_cost_per_token?: number
  cache_read_input_token_cost?: number
  output_cost_per_token?: number
  input_cost_per_character?: number
  input_cost_per_second?: number
}

export type PriceTable = Record<string, Price>

/** What was used, in the units that prices know. `cachedTokens` are part of `inputTokens`. */
export type Units = {
  inputTokens?: number
  cachedTokens?: number
  outputTokens?: number
  characters?: number
  seconds?: number
}

const M = 1_000_000

export const PRICES: PriceTable = {
  'gpt-6.1-sol': perMillion(2, 10, 0.1),
  'gpt-6-sol': perMillion(2, 10, 0.2),
  'gpt-5.4': perMillion(2.5, 15, 0.25),
  'gpt-5.4-mini': perMillion(0.75, 4.5, 0.075),
  'gpt-5.4-nano': perMillion(0.2, 1.25, 0.02),
  'gpt-5.2': perMillion(1.75, 14, 0.175),
  'gpt-5.1': perMillion(1.25, 10, 0.125),
  'gpt-5': perMillion(1.25, 10, 0.125),
  'gpt-5-mini': perMillion(0.25, 2, 0.025),
  'gpt-5-nano': perMillion(0.05, 0.4, 0.005),
  'gpt-4.1': perMillion(2, 8, 0.5),
  'gpt-4.1-mini': perMillion(0.4, 1.6, 0.1),
  'gpt-4o': perMillion(2.5, 10, 1.25),
  'gpt-4o-mini': perMillion(0.15, 0.6, 0.075),
  'gemini-2.5-flash': perMillion(0.3, 2.5, 0.03),
  'gemini-2.5-flash-lite': perMillion(0.1, 0.4, 0.01),
  'tts-1': { input_cost_per_character: 15 / M },
  'tts-1-hd': { input_cost_per_character: 30 / M },
  'whisper-1': { input_cost_per_second: 0.0001 },
}

/** The cost in US dollars, or null when the model or one of its units has no known price. */
export function costOf(model: string, units: Units, table: PriceTable = PRICES): number | null {
  const price = table[model] ?? table[model.replace(/-\d{4}-\d{2}-\d{2}$/, '')]
  if (!price) return null
  const cached = units.cachedTokens ?? 0
  const parts = [
    [(units.inputTokens ?? 0) - cached, price.input_cost_per_token],
    [cached, price.cache_read_input_token_cost ?? price.input_cost_per_token],
    [units.outputTokens ?? 0, price.output_cost_per_token],
    [units.characters ?? 0, price.input_cost_per_character],
    [units.seconds ?? 0, price.input_cost_per_second],
  ] as const
  let known = false
  let sum = 0
  for (const [count, each] of parts) {
    if (each !== undefined && count > 0) {
      sum += count * each
      known = true
    }
  }
  return known ? sum : null
}

function perMillion(input: number, output: number, cached: number): Price {
  return {
    input_cost_per_token: input / M,
    output_cost_per_token: output / M,
    cache_read_input_token_cost: cached / M,
  }
}
