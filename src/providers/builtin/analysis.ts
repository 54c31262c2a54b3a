/** From a text to a script, without a model: every line is a sentence of the text, nothing is made up. */
import type { Script, ScriptBrief, Shot } from '../provider.ts'
import { headlineOf, titleFrom } from './headlines.ts'
import { type Block, plainText } from './plain-text.ts'
import { rank, termsOf } from './rank.ts'
import { type Chosen, select } from './selection.ts'
import { type Sentence, sentencesOf } from './sentences.ts'
import { cameraMoves, groupIntoShots } from './shots.ts'
import { tongueOf } from './writing.ts'

/** The real voice may be slower than the estimate, and a film must not be longer than asked for. */
const TARGET_SHARE = 0.92

/** The same text always gives the same script. `text` must hold at least one visible character. */
export function writeScript(brief: ScriptBrief): Script {
  const blocks = plainText(brief.text)
  const tongue = tongueOf(blocks.map((block) => block.text).join('\n'))
  const sentences = sentencesOf(spokenBlocks(blocks), tongue.language)
  const { vectors, weightOf } = termsOf(
    sentences.map((sentence) => sentence.text),
    tongue.language,
  )
  const scores = rank(vectors)
  const candidates = sentences.map((sentence, index) => ({ index, text: sentence.text, score: scores[index]! }))
  const chosen = select(candidates, brief.targetS * TARGET_SHARE)
  const groups = groupIntoShots(chosen, vectors)
  return {
    title: brief.title ?? titleOf(blocks, sentences),
    ...tongue,
    shots: shotsOf(groups, (text) => headlineOf(text, { language: tongue.language, weightOf })),
    left_out: sentences.length - new Set(chosen.map((line) => line.sentence)).size,
  }
}

/** Headings are titles, not speech, unless there is nothing else. */
export function spokenBlocks(blocks: readonly Block[]): Block[] {
  const paragraphs = blocks.filter((block) => block.kind === 'paragraph')
  return paragraphs.length > 0 ? paragraphs : [...blocks]
}

function titleOf(blocks: readonly Block[], sentences: readonly Sentence[]): string {
  const heading = blocks.find((block) => block.kind === 'heading')
  return titleFrom(heading?.text ?? sentences[0]!.text) || 'Untitled'
}

function shotsOf(groups: readonly Chosen[][], headline: (text: string) => string): Shot[] {
  const texts = groups.map((lines) => lines.map((line) => line.text).join(' '))
  const moves = cameraMoves(texts)
  let number = 0
  return groups.map((lines, index) => ({
    name: `shot-${padded(index + 1)}`,
    headline: headline(texts[index]!),
    camera: moves[index]!,
    lines: lines.map((line) => ({
      name: `line-${padded(++number)}`,
      text: line.text,
      weight: Math.round(line.score * 1e6) / 1e6,
    })),
  }))
}

function padded(n: number): string {
  return String(n).padStart(3, '0')
}
