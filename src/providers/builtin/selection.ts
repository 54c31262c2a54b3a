/** Which sentences are kept when a text is longer than the film. */
import { speakingS } from './pace.ts'
import { linesOf } from './sentences.ts'

export type Candidate = { index: number; text: string; score: number }

export type Chosen = { sentence: number; text: string; score: number }

/** Between two lines the narrator takes a breath. */
export const BREATH_S = 0.3

/** A text starts with what it is about; an opening counts more than its rank says. */
const OPENING_BONUS = 1.5

/** The best lines that together take at most `targetS`, in the order of the text; always at least one. */
export function select(candidates: readonly Candidate[], targetS: number): Chosen[] {
  const scored = candidates.map((c) => ({ ...c, score: c.index === 0 ? c.score * OPENING_BONUS : c.score }))
  const byScore = scored.toSorted((a, b) => b.score - a.score || a.index - b.index)
  const kept = new Map<number, string[]>()
  let leftS = targetS
  for (const candidate of byScore) {
    const lines = linesOf(candidate.text)
    const needsS = lines.reduce((sum, line) => sum + speakingS(line) + BREATH_S, 0)
    if (needsS > leftS) continue
    leftS -= needsS
    kept.set(candidate.index, lines)
  }
  if (kept.size === 0) kept.set(byScore[0]!.index, linesOf(byScore[0]!.text).slice(0, 1))
  return scored.flatMap((c) => (kept.get(c.index) ?? []).map((text) => ({ sentence: c.index, text, score: c.score })))
}
