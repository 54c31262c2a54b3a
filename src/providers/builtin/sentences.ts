/** Paragraphs into sentences, and sentences into lines that fit a breath and a subtitle. */
import nlp from 'compromise/one'
import type { Block } from './plain-text.ts'

export type Sentence = { text: string; paragraph: number }

/** Longer lines would stand on the screen for more than about ten seconds. */
const LINE_MAX = 150

/** What is longer has no sentences to speak of (Thai, a list of words): its lines are chosen one by one. */
const RUN_ON = 600

/**
 * compromise knows that "Dr." and "U.S." end no sentence, but only in English;
 * for every other language the Unicode rules of the platform do it.
 */
export function sentencesOf(blocks: readonly Block[], language: string): Sentence[] {
  const split = language === 'en' ? splitEnglish : splitUnicode(language)
  return blocks.flatMap((block, paragraph) =>
    withoutLoneMarks(split(block.text))
      .flatMap((text) => (text.length > RUN_ON ? linesOf(text) : [text.trim()]))
      .filter((text) => text !== '')
      .map((text) => ({ text, paragraph })),
  )
}

/** Cuts a long sentence at clauses, then at words, then (scripts without spaces) anywhere. */
export function linesOf(sentence: string, max = LINE_MAX): string[] {
  const lines: string[] = []
  let rest = sentence
  for (;;) {
    const head = [...rest.slice(0, 2 * max + 2)]
    if (head.length <= max) break
    const cut = cutAt(head.slice(0, max).join(''))
    lines.push(rest.slice(0, cut).trim())
    rest = rest.slice(cut).trim()
  }
  if (rest !== '') lines.push(rest)
  return lines.filter((line) => line !== '')
}

/** A dash, an ellipsis or an emoji that a splitter took for a sentence belongs to the one before. */
function withoutLoneMarks(sentences: readonly string[]): string[] {
  const joined: string[] = []
  for (const sentence of sentences) {
    if (joined.length > 0 && !/[\p{L}\p{N}]/u.test(sentence)) joined.push(`${joined.pop()!.trimEnd()} ${sentence}`)
    else joined.push(sentence)
  }
  return joined
}

function splitEnglish(text: string): string[] {
  return nlp(text).out('array') as string[]
}

function splitUnicode(language: string): (text: string) => string[] {
  const segmenter = new Intl.Segmenter(language === 'und' ? 'en' : language, { granularity: 'sentence' })
  return (text) => [...segmenter.segment(text)].map((s) => s.segment)
}

const CUTS = [/[;:—–.!?。；：！？][)\]”»’」]*\s*/g, /[,،、，][)\]”»’」]*\s*/g, /\s+/g]

/** The UTF-16 index of the best place to cut `head`, not too near to its start. */
function cutAt(head: string): number {
  for (const mark of CUTS) {
    const ends = [...head.matchAll(mark)].map((m) => m.index + m[0].length)
    const end = ends.filter((e) => e >= head.length * 0.35).at(-1)
    if (end !== undefined) return end
  }
  return head.length
}
