/** Subtitles: one or more cues per spoken line, inside the line's own time; as SRT and as ASS. */
import { drawable } from '../../providers/builtin/drawable.ts'
import type { Frame } from './frame.ts'

/** Words, and when in the film they are said. */
export type TimedLine = { text: string; startS: number; endS: number }

export type Cue = { startS: number; endS: number; rows: string[] }

const ROWS_MAX = 2

/** At most 42 characters in a row are read at a glance; a narrow frame has room for fewer. */
export function charsPerRow({ width, height }: Frame): number {
  return Math.max(16, Math.min(42, Math.floor((width * 0.88) / (fontSize({ width, height }) * 0.56))))
}

/** Cues of a line share its time by their length. */
export function cuesOf(line: TimedLine, perRow: number): Cue[] {
  const rows = wrap(line.text, perRow)
  const groups = Array.from({ length: Math.ceil(rows.length / ROWS_MAX) }, (_, i) =>
    rows.slice(i * ROWS_MAX, (i + 1) * ROWS_MAX),
  )
  const lengths = groups.map((group) => group.join(' ').length)
  const total = lengths.reduce((sum, length) => sum + length, 0)
  let before = 0
  return groups.map((group, i) => {
    const startS = line.startS + ((line.endS - line.startS) * before) / total
    before += lengths[i]!
    return { startS, endS: line.startS + ((line.endS - line.startS) * before) / total, rows: group }
  })
}

/** SubRip. Times are rounded inwards, so that no cue leaves its line. */
export function srt(cues: readonly Cue[]): string {
  return cues
    .map(
      (cue, i) =>
        `${i + 1}\n${srtTime(Math.ceil(cue.startS * 1000))} --> ${srtTime(Math.floor(cue.endS * 1000))}\n${cue.rows.join('\n')}\n`,
    )
    .join('\n')
}

export type Burned = { ass: string | null; missing: string[] }

/** What is burned into a clip that begins `offsetS` into the film; null when nothing of it can be drawn. */
export function ass(
  cues: readonly Cue[],
  frame: Frame,
  options: { family: string; offsetS: number; covers: (c: number) => boolean },
): Burned {
  const missing = new Set<string>()
  const events: string[] = []
  for (const cue of cues) {
    const rows = cue.rows.map((row) => drawable(row, options.covers))
    for (const row of rows) for (const writing of row.missing) missing.add(writing)
    const text = rows.some((row) => row.text === null) ? '' : rows.map((row) => escapeAss(row.text!)).join('\\N')
    if (text === '') continue
    events.push(
      `Dialogue: 0,${assTime(cue.startS - options.offsetS)},${assTime(cue.endS - options.offsetS)},Line,,0,0,0,,${text}`,
    )
  }
  return { ass: events.length === 0 ? null : assFile(frame, options.family, events), missing: [...missing].sort() }
}

/** Greedy wrapping at spaces; scripts without spaces are cut where a row is full. Wide characters count twice. */
export function wrap(text: string, perRow: number): string[] {
  const rows: string[] = []
  let row = ''
  for (const word of text.split(/\s+/).flatMap((w) => pieces(w, perRow))) {
    const joined = row === '' ? word : `${row} ${word}`
    if (row !== '' && widthOf(joined) > perRow) {
      rows.push(row)
      row = word
    } else row = joined
  }
  return row === '' ? rows : [...rows, row]
}

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60]/u

function widthOf(text: string): number {
  let width = 0
  for (const c of text) width += WIDE.test(c) ? 2 : 1
  return width
}

function pieces(word: string, perRow: number): string[] {
  if (widthOf(word) <= perRow) return [word]
  const parts: string[] = []
  let part = ''
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(word)) {
    if (part !== '' && widthOf(part + segment) > perRow) {
      parts.push(part)
      part = ''
    }
    part += segment
  }
  return part === '' ? parts : [...parts, part]
}

function fontSize({ width, height }: Frame): number {
  return Math.round(Math.min(width * 0.062, height * 0.058))
}

function assFile(frame: Frame, family: string, events: readonly string[]): string {
  const size = fontSize(frame)
  const style = [
    ...['Line', family, size, '&H00FFFFFF', '&H00FFFFFF', '&H00000000', '&H80000000'],
    ...[-1, 0, 0, 0, 100, 100, 0, 0, 1, (size / 14).toFixed(1), (size / 24).toFixed(1), 2],
    ...[Math.round(frame.width * 0.05), Math.round(frame.width * 0.05), Math.round(frame.height * 0.06), 1],
  ]
  return `[Script Info]
ScriptType: v4.00+
PlayResX: ${frame.width}
PlayResY: ${frame.height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: ${style.join(',')}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
${events.join('\n')}
`
}

/** Braces start commands and a backslash an escape; a look-alike cannot be misread. */
function escapeAss(text: string): string {
  return text.replaceAll('\\', '\u2216').replaceAll('{', '\\{').replaceAll('}', '\\}')
}

function srtTime(ms: number): string {
  return `${clock(Math.floor(ms / 1000), 2)},${String(ms % 1000).padStart(3, '0')}`
}

/** ASS counts hundredths; the nearest one is never more than a frame away. */
function assTime(s: number): string {
  const hundredths = Math.max(0, Math.round(s * 100))
  return `${clock(Math.floor(hundredths / 100), 1)}.${String(hundredths % 100).padStart(2, '0')}`
}

function clock(s: number, hourDigits: number): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${String(Math.floor(s / 3600)).padStart(hourDigits, '0')}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}
