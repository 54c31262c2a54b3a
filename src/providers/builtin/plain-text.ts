/** A text as people paste it, turned into paragraphs that can be read aloud: Markdown and HTML marks go. */

export type Block = { kind: 'heading' | 'paragraph'; text: string }

/**
 * Paragraphs in order; no block is empty, and there is at least one when `source` has a visible character.
 * Takes time in proportion to the length for any text: runs of spaces are collapsed first, and every
 * expression is bounded, because 200,000 brackets are a legal input as well.
 */
export function plainText(source: string): Block[] {
  const text = withoutHidden(source)
  const blocks = withoutCode(text)
    .split(/\n ?\n+/)
    .flatMap(splitHeadings)
    .map((block) => ({ ...block, text: withoutMarks(block.text) }))
    .filter((block) => isVisible(block.text))
  return blocks.length > 0 ? blocks : [{ kind: 'paragraph', text: text.replace(/\s+/g, ' ').trim() }]
}

/** True when there is something to read or to draw. */
export function isVisible(text: string): boolean {
  return /[\p{L}\p{N}\p{S}\p{P}]/u.test(text)
}

/** Controls, byte order marks and zero-width characters are neither drawn nor spoken, and break both. */
function withoutHidden(source: string): string {
  return source
    .normalize('NFC')
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, '\n')
    .replace(HIDDEN, '')
    .replace(/[^\S\n]+/g, ' ')
}

const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff\ufffe\uffff\u202a-\u202e\u2066-\u2069]/g

function withoutCode(text: string): string {
  const fenced = text.replace(/^ ?(```|~~~)[^\n]*\n[\s\S]*?^ ?\1[^\n]*$/gm, '\n\n')
  const spans = [
    ['<!--', '-->'],
    ['<script', '</script>'],
    ['<style', '</style>'],
  ] as const
  return spans.reduce((rest, [open, close]) => withoutSpans(rest, open, close), fenced)
}

/** Cuts from every `open` to the next `close`; what never closes stays. */
function withoutSpans(text: string, open: string, close: string): string {
  const lower = text.toLowerCase()
  // Lower case can change the length of a few letters; then positions would not agree.
  if (lower.length !== text.length) return text
  const kept: string[] = []
  let from = 0
  for (;;) {
    const start = lower.indexOf(open, from)
    const end = start < 0 ? -1 : lower.indexOf(close, start + open.length)
    if (end < 0) break
    kept.push(text.slice(from, start))
    from = end + close.length
  }
  return [...kept, text.slice(from)].join(' ')
}

function splitHeadings(chunk: string): Block[] {
  const blocks: Block[] = []
  let lines: string[] = []
  const flush = () => {
    if (lines.length > 0) blocks.push({ kind: 'paragraph', text: lines.join('\n') })
    lines = []
  }
  for (const line of chunk.split('\n')) {
    const level = /^ ?#{1,6} /.exec(line)
    if (level) {
      flush()
      blocks.push({ kind: 'heading', text: trimEnd(line.slice(level[0].length), ' #') })
    } else if (isRule(line)) {
      if (/^ ?[=-]{3}/.test(line) && lines.length === 1) blocks.push({ kind: 'heading', text: lines.pop()! })
    } else {
      if (LIST_MARK.test(line) || /^ ?\|/.test(line)) flush() // items of lists and rows of tables stand alone
      lines.push(line)
    }
  }
  flush()
  return blocks
}

const LIST_MARK = /^ ?([-*+]|\d{1,3}[.)]) (\[[ xX]\] )?/

/** Rulers, underlines of headings, and the second line of a table. */
function isRule(line: string): boolean {
  return /^[ :|*_=-]+$/.test(line) && /[*_=-] ?[*_=-] ?[*_=-]/.test(line)
}

function withoutMarks(text: string): string {
  const clean = text
    .replace(/^( ?> ?)+/gm, '')
    .replace(new RegExp(LIST_MARK, 'gm'), '')
    .replace(/^ ?(```|~~~)/gm, '')
    .replace(/ ?\| ?/g, ', ')
    .replace(/!\[[^\]\n]{0,300}\]\([^)\n]{0,1000}\)/g, '')
    .replace(/\[([^\][\n]{1,300})\](\([^)\n]{0,1000}\)|\[[^\]\n]{0,300}\])/g, '$1')
    .replace(/<\/?[a-zA-Z][^<>\n]{0,1000}>/g, '')
    .replace(/(\*\*\*|\*\*|\*|___|__|~~|`{1,3})(?=\S)([^\n]{0,400}?\S)\1/g, '$2')
    .replace(/(^|[\s(])_([^_\n]{1,400})_(?=$|[\s).,;:!?])/g, '$1$2')
    .replace(/\\([\\`*_{}[\]()#+.!~|>-])/g, '$1')
    .replace(/\s+/g, ' ')
  return trimEnd(clean.trim().replace(/^(, )+/, ''), ' ,')
}

/** A loop, because `[…]+$` tries every start again. */
function trimEnd(text: string, marks: string): string {
  let end = text.length
  while (end > 0 && marks.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}
