/** TextRank (Mihalcea and Tarau 2004) on TF-IDF cosines: how much each sentence says of the whole. */

/** Comparing all pairs is quadratic: of longer texts only the most central sentences are compared. */
const COMPARED_MAX = 600
const DAMPING = 0.85
const ROUNDS = 30

type Vector = Map<string, number>

export type Terms = { vectors: Vector[]; weightOf: (term: string) => number }

/** Words in lower case, by the rules of the language (also where words have no spaces between them). */
export function wordsOf(text: string, language: string): string[] {
  return splitWords(new Intl.Segmenter(localeOf(language), { granularity: 'word' }), text)
}

/** Unit vectors of TF-IDF weights, one per sentence. */
export function termsOf(sentences: readonly string[], language: string): Terms {
  const segmenter = new Intl.Segmenter(localeOf(language), { granularity: 'word' })
  const words = sentences.map((sentence) => splitWords(segmenter, sentence))
  const seenIn = new Map<string, number>()
  for (const list of words) for (const word of new Set(list)) seenIn.set(word, (seenIn.get(word) ?? 0) + 1)
  const weightOf = (word: string) => Math.log(1 + sentences.length / (seenIn.get(word) ?? 1)) - LN2
  return { vectors: words.map((list) => unitVector(list, weightOf)), weightOf }
}

/** One score per sentence, highest for the most central; all 0 for sentences that were not compared. */
export function rank(vectors: readonly Vector[]): number[] {
  const compared = mostCentral(vectors)
  const scores = new Array<number>(vectors.length).fill(0)
  const ranked = textRank(compared.map((index) => vectors[index]!))
  for (const [place, index] of compared.entries()) scores[index] = ranked[place]!
  return scores
}

/** Cosine of two unit vectors. */
export function similarity(a: Vector, b: Vector): number {
  const [short, long] = a.size < b.size ? [a, b] : [b, a]
  let sum = 0
  for (const [word, weight] of short) sum += weight * (long.get(word) ?? 0)
  return sum
}

/** A word that is in every sentence weighs nothing. */
const LN2 = Math.log(2)

function localeOf(language: string): string {
  return language === 'und' ? 'en' : language
}

function splitWords(segmenter: Intl.Segmenter, text: string): string[] {
  return [...segmenter.segment(text)].filter((s) => s.isWordLike).map((s) => s.segment.toLowerCase())
}

function unitVector(words: readonly string[], weightOf: (word: string) => number): Vector {
  const vector: Vector = new Map()
  for (const word of words) vector.set(word, (vector.get(word) ?? 0) + weightOf(word))
  const length = Math.hypot(...vector.values())
  if (length > 0) for (const [word, weight] of vector) vector.set(word, weight / length)
  return vector
}

/** Indexes, in order, of the sentences nearest to the mean of all. */
function mostCentral(vectors: readonly Vector[]): number[] {
  const all = vectors.map((_, index) => index)
  if (all.length <= COMPARED_MAX) return all
  const mean: Vector = new Map()
  for (const vector of vectors) for (const [word, weight] of vector) mean.set(word, (mean.get(word) ?? 0) + weight)
  const centrality = vectors.map((vector) => similarity(vector, mean))
  const best = all.toSorted((a, b) => centrality[b]! - centrality[a]! || a - b)
  return best.slice(0, COMPARED_MAX).sort((a, b) => a - b)
}

function textRank(vectors: readonly Vector[]): number[] {
  const n = vectors.length
  const links = vectors.map((a, i) => Float64Array.from(vectors, (b, j) => (i === j ? 0 : similarity(a, b))))
  const outgoing = links.map((row) => row.reduce((sum, weight) => sum + weight, 0))
  let scores = new Float64Array(n).fill(1)
  for (let round = 0; round < ROUNDS; round++) {
    const share = scores.map((score, j) => (outgoing[j]! > 0 ? score / outgoing[j]! : 0))
    // Links are symmetric, so a sentence's row holds what it receives as well.
    scores = Float64Array.from(links, (row) => 1 - DAMPING + DAMPING * dot(row, share))
  }
  return [...scores]
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
