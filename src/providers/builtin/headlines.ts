/** The few words that are drawn on a picture: what its lines speak of. */
import nlp from 'compromise'
import { wordsOf } from './rank.ts'

const LONGEST = 42

export type HeadlineTools = { language: string; weightOf: (word: string) => number }

/** The weightiest noun phrase (English) or words of `text`, with a capital; '' when there is none. */
export function headlineOf(text: string, tools: HeadlineTools): string {
  const phrases = tools.language === 'en' ? nounPhrases(text) : []
  const best = heaviest(phrases, tools)
  return capital(best ?? keywords(text, tools).join(' · '))
}

/** A title for a text that has none: its first words, cut at a word. */
export function titleFrom(sentence: string, longest = 70): string {
  const plain = sentence.slice(0, 4 * longest).replace(/^["“„«‘「\s]+|["”“»」’\s]+$/g, '')
  if ([...plain].length <= longest) return plain.replace(/[.。:,;]$/, '')
  const head = [...plain].slice(0, longest).join('')
  const cut = head.lastIndexOf(' ')
  return `${(cut > longest / 2 ? head.slice(0, cut) : head).replace(/[\s,;:–—-]+$/, '')}…`
}

const LEADING = /^(the|a|an|this|that|these|those|his|her|its|their|our|my|your|some|any|no|every|each|all|such)\s+/i
const EMPTY =
  /^(he|she|it|they|we|i|you|who|which|what|there|one|nothing|something|him|her|them|us|me|himself|herself)$/i

function nounPhrases(text: string): string[] {
  const found = nlp(text).nouns().out('array') as string[]
  return found
    .map((phrase) => phrase.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ''))
    .filter((phrase) => !/[^\p{L}\p{N}'’ -]/u.test(phrase)) // a phrase with a comma in it is two
    .map((phrase) => phrase.replace(LEADING, ''))
    .map((phrase) => phrase.replace(/ (of|for|to|in|with) (it|him|her|them|us|me|you)$/i, ''))
    .filter((phrase) => phrase.length > 2 && phrase.length <= LONGEST && !EMPTY.test(phrase))
}

/** By the mean weight of its words, with a little for length, so that "seven young kids" beats "kids". */
function heaviest(phrases: readonly string[], tools: HeadlineTools): string | undefined {
  const weigh = (phrase: string) => {
    const words = wordsOf(phrase, tools.language)
    const sum = words.reduce((total, word) => total + tools.weightOf(word), 0)
    return sum / Math.max(1, words.length) ** 0.4
  }
  const weighed = phrases.map((phrase) => ({ phrase, weight: weigh(phrase) }))
  return weighed.reduce<(typeof weighed)[number] | undefined>((a, b) => (!a || b.weight > a.weight ? b : a), undefined)
    ?.phrase
}

/** Up to three weighty words, in the order in which they are said. */
function keywords(text: string, { language, weightOf }: HeadlineTools): string[] {
  const words = [...new Set(wordsOf(text, language))]
  const best = new Set(
    words.toSorted((a, b) => weightOf(b) * b.length ** 0.3 - weightOf(a) * a.length ** 0.3).slice(0, 3),
  )
  return words.filter((word) => best.has(word)).map((word) => [...word].slice(0, LONGEST / 2).join(''))
}

function capital(text: string): string {
  const [first = '', ...rest] = [...text]
  return first.toUpperCase() + rest.join('')
}
