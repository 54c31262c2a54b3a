/** Speeches for stages that talk: the same for the same seed, and cut into pieces wherever it hurts. */
import { createRandom } from './random.ts'

export type Speech = { pieces: string[]; text: string }

const WORDS = [
  'lantern',
  'Größe',
  '灯台の光',
  '海は静かだ。',
  '🌙',
  '👩‍👩‍👧‍👦',
  '🇯🇵',
  'e\u0301te\u0301',
  'שלום',
  '\n\n',
  '"type":"token"',
  '\\u0041',
  '\u2028',
  '𠮷野家',
]

/** Pieces of up to `size` UTF-16 units; between two of them there may be half a character. */
export function speechOf(seed: string, count: number, size = 10): Speech {
  const random = createRandom(seed)
  const pick = () => WORDS[Math.floor(random() * WORDS.length)]!
  const pieces: string[] = []
  let text = `${seed}: `
  let from = 0
  while (pieces.length < count - 1) {
    while (text.length - from < size + 2) text += `${pick()} `
    const upto = from + 1 + Math.floor(random() * size)
    pieces.push(text.slice(from, upto))
    from = upto
  }
  return { pieces: [...pieces, text.slice(from)], text }
}
