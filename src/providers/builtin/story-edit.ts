/** An extractive edit of a story: normalised, without repetitions, a little tighter, with scene breaks. */
import { plainText } from './plain-text.ts'
import { rank, similarity, termsOf, wordsOf } from './rank.ts'
import { type Sentence, sentencesOf } from './sentences.ts'
import type { EditedStory } from './story.ts'
import { type Tongue, tongueOf } from './writing.ts'

/** Shorter texts have nothing to spare; of longer ones at most this share of the sentences goes. */
const TIGHTEN_FROM = 15
const TIGHTEN_SHARE = 0.12
/** A repeated "No." is a refrain, a repeated sentence an oversight. */
const REPEATED_WORDS = 4
/** A scene holds at least so many sentences, and is compared with its neighbour by so many. */
const SCENE_SENTENCES = 6
const WINDOW = 4

type Vector = Map<string, number>
type Kept = Sentence & { vector: Vector; heading: boolean }

/** The same text always gives the same edit. `text` must hold at least one visible character. */
export function editStory(text: string): EditedStory {
  const blocks = plainText(text)
  const tongue = tongueOf(blocks.map((block) => block.text).join('\n'))
  const sentences = sentencesOf(blocks, tongue.language).map((s) => ({ ...s, text: withoutStutter(s.text, tongue) }))
  const unique = withoutRepeats(sentences, tongue.language)
  const { vectors } = termsOf(
    unique.map((s) => s.text),
    tongue.language,
  )
  const all = unique.map((s, i) => ({ ...s, vector: vectors[i]!, heading: blocks[s.paragraph]!.kind === 'heading' }))
  const kept = tightened(all)
  const breaks = sceneBreaks(kept)
  return {
    pieces: kept.map((s, i) => before(kept, i, { breaks, tongue }) + (s.heading ? `# ${s.text}` : s.text)),
    repeated: sentences.length - unique.length,
    tightened: unique.length - kept.length,
    scenes: breaks.size + 1,
  }
}

const STUTTER = /\b(the|an?|of|to|and|in|on|at|for|with|from|by) +\1\b/giu

/** Only words that are never meant twice: "had had" is a tense, "very, very" a voice. */
function withoutStutter(text: string, { language }: Tongue): string {
  return language === 'en' ? text.replace(STUTTER, '$1') : text
}

function withoutRepeats(sentences: readonly Sentence[], language: string): Sentence[] {
  const seen = new Set<string>()
  return sentences.filter(({ text }) => {
    const words = wordsOf(text, language)
    if (words.length < REPEATED_WORDS) return true
    const key = words.join(' ')
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Without the sentences that say least of the whole; how a paragraph begins and ends is the author's. */
function tightened(sentences: readonly Kept[]): Kept[] {
  if (sentences.length < TIGHTEN_FROM) return [...sentences]
  const scores = rank(sentences.map((s) => s.vector))
  const inside = sentences
    .map((_, i) => i)
    .filter((i) => [i - 1, i + 1].every((j) => sentences[j]?.paragraph === sentences[i]!.paragraph))
    .filter((i) => !/^\p{Ll}/u.test(sentences[i + 1]!.text)) // "Hearken! and observe …" is one breath
  const lightest = inside.toSorted((a, b) => scores[a]! - scores[b]! || a - b)
  const dropped = new Set(lightest.slice(0, Math.floor(sentences.length * TIGHTEN_SHARE)))
  return sentences.filter((_, i) => !dropped.has(i))
}

/** Indexes of sentences that open a scene: headings, and paragraphs that share less with what was than most do. */
function sceneBreaks(sentences: readonly Kept[]): Set<number> {
  const starts = sentences.map((_, i) => i).filter((i) => i > 0 && opensParagraph(sentences, i))
  const likeness = new Map(starts.map((i) => [i, likenessAround(sentences, i)]))
  const low = lowerThird([...likeness.values()])
  const breaks = new Set<number>()
  let scene = 0
  for (const start of starts) {
    const { heading } = sentences[start]!
    if (sentences[start - 1]!.heading) continue // a heading belongs to what follows it
    const shifts = likeness.get(start)! <= low && start - scene >= SCENE_SENTENCES
    if (!heading && !(shifts && sentences.length - start >= SCENE_SENTENCES)) continue
    breaks.add(start)
    scene = start
  }
  return breaks
}

function opensParagraph(sentences: readonly Kept[], i: number): boolean {
  return sentences[i - 1]?.paragraph !== sentences[i]!.paragraph
}

/** Cosine of the sentences before a place and those after it. */
function likenessAround(sentences: readonly Kept[], i: number): number {
  return similarity(mean(sentences.slice(Math.max(0, i - WINDOW), i)), mean(sentences.slice(i, i + WINDOW)))
}

function mean(sentences: readonly Kept[]): Vector {
  const sum: Vector = new Map()
  for (const { vector } of sentences) for (const [word, weight] of vector) sum.set(word, (sum.get(word) ?? 0) + weight)
  const length = Math.hypot(...sum.values())
  if (length > 0) for (const [word, weight] of sum) sum.set(word, weight / length)
  return sum
}

/** The value below which a third of them lie: a long text has many paragraphs and fewer scenes. */
function lowerThird(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 3)] ?? 0
}

const UNSPACED = new Set(['Han', 'Kana', 'Thai'])

function before(
  sentences: readonly Kept[],
  i: number,
  { breaks, tongue }: { breaks: Set<number>; tongue: Tongue },
): string {
  if (i === 0) return ''
  if (breaks.has(i)) return '\n\n* * *\n\n'
  if (opensParagraph(sentences, i)) return '\n\n'
  return UNSPACED.has(tongue.writing) ? '' : ' '
}
