/** How wide text is on a terminal, and text cut to a width. */
import { stripVTControlCharacters } from 'node:util'

/** East Asian wide characters and pictures take two columns (UAX #11, told by script, which is near enough). */
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60]/u

/** Colours take no room. */
export function columnsOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  return graphemes(stripVTControlCharacters(text)).reduce((sum, one) => sum + widthOf(one), 0)
}

/** The beginning of a text without colours, with an ellipsis where something was left out. */
export function cutToColumns(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let used = 1 // the ellipsis
  for (const one of graphemes(text)) {
    used += widthOf(one)
    if (used > columns) break
    kept += one
  }
  return `${kept}…`
}

/** Words of others (a title, say) on one line, and without what a terminal would take for orders. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ')
}

/** The same for words of several lines, or a piece of them: line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replaceAll('\r', '').replaceAll(/[\p{Cc}--[\t\n]]/gv, '·')
}

function widthOf(grapheme: string): number {
  return WIDE.test(grapheme) ? 2 : 1
}

/** Most text is: it costs nothing, while the first use of a segmenter takes tens of milliseconds. */
const PLAIN = /^[ -~]*$/

function graphemes(text: string): string[] {
  if (PLAIN.test(text)) return [...text]
  return Array.from(new Intl.Segmenter('en').segment(text), ({ segment }) => segment)
}
