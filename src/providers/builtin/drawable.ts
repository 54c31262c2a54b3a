/** What of a text can be drawn with the fonts at hand: never boxes, and never half a sentence in silence. */
import { writingsOf } from './writing.ts'

/** `text` is null when letters are missing; marks without a glyph (emoji) are only left out. */
export type Drawable = { text: string | null; missing: string[] }

/** Joiners and selectors shape their neighbours and need no glyph of their own. */
const SHAPING = /\p{Cf}|\p{Variation_Selector}/u

export function drawable(text: string, covers: (codePoint: number) => boolean): Drawable {
  const lacking = new Set([...text].filter((c) => !/\s/.test(c) && !SHAPING.test(c) && !covers(c.codePointAt(0)!)))
  const letters = [...lacking].filter((c) => /[\p{L}\p{M}\p{N}]/u.test(c))
  if (letters.length > 0) return { text: null, missing: writingsOf(letters) }
  if (lacking.size === 0) return { text, missing: [] }
  const kept = [...text].filter((c) => !lacking.has(c) && !/[\ufe0f\u200d]/.test(c)).join('')
  return { text: kept.replace(/\s+/g, ' ').trim(), missing: [] }
}

/** The sentence that a user reads about scripts that no font can draw. */
export function notDrawn(writings: Iterable<string>): string[] {
  const names = [...new Set(writings)].sort()
  if (names.length === 0) return []
  return [`text in ${names.join(', ')} script is not drawn: no font for it (set FONT_DIR)`]
}
