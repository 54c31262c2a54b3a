/** Counts of tokens: summed over calls, and guessed where a server did not say. */
import type { Usage } from './provider.ts'

export const NO_USAGE: Usage = { input_tokens: 0, output_tokens: 0, cost_usd: null }

/** One unknown cost makes the sum unknown: a figure that leaves something out would be too low. */
export function sumUsage(parts: readonly Usage[]): Usage {
  if (parts.length === 0) return NO_USAGE
  const known = parts.every((part) => part.cost_usd !== null)
  return {
    input_tokens: parts.reduce((sum, part) => sum + part.input_tokens, 0),
    output_tokens: parts.reduce((sum, part) => sum + part.output_tokens, 0),
    cost_usd: known ? parts.reduce((sum, part) => sum + part.cost_usd!, 0) : null,
  }
}

const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

/** About four characters a token; an ideograph is nearly one by itself. */
export function estimateTokens(text: string): number {
  const ideographs = text.match(IDEOGRAPHS)?.length ?? 0
  return Math.ceil(ideographs * 0.9 + (text.length - ideographs) / 4)
}
