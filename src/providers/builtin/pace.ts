/** How long a text takes to say: for choosing what fits, and for silence in place of a voice. */

/** Characters a second, measured on espeak-ng at its usual 165 words a minute; ideographs are syllables. */
const LETTERS_PER_S = 15
const IDEOGRAPHS_PER_S = 4.2
const SHORTEST_S = 0.8

const IDEOGRAPHS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu

export function speakingS(text: string): number {
  const ideographs = text.match(IDEOGRAPHS)?.length ?? 0
  const letters = [...text].length - ideographs
  return Math.max(SHORTEST_S, ideographs / IDEOGRAPHS_PER_S + letters / LETTERS_PER_S)
}
