/** Hides secrets in text that people will read: values that are known, and what has the shape of one. */
import { HIDDEN, hideShapes } from './secret-shapes.ts'

export type Redactor = {
  /** `text` with every secret as `***`. */
  clean(text: string): string
  /** Only the known values: for text of our own that shows a link on purpose. */
  cleanKnown(text: string): string
  /** From now on this value is a secret too; null and empty ones are nothing. */
  add(secret: string | null): void
}

/** JSON of `value`, with every text in it cleaned: numbers stay numbers, whatever the secrets are. */
export function cleanJson(value: unknown, clean: (text: string) => string): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? clean(part) : part))
}

export function createRedactor(secrets: readonly (string | null)[] = []): Redactor {
  const known = new Set<string>()
  let pattern: RegExp | undefined

  function add(secret: string | null): void {
    for (const form of formsOf(secret ?? '')) known.add(form)
    pattern = patternOf(known)
  }

  const cleanKnown = (text: string) => (pattern ? text.replace(pattern, HIDDEN) : text)
  for (const secret of secrets) add(secret)
  return {
    add,
    cleanKnown,
    clean: (text) => hideShapes(cleanKnown(text)),
  }
}

/** As it is, as it stands in a JSON string, and as it stands in an address; line by line. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.trim() !== '')
  const written = (line: string) => [line, JSON.stringify(line).slice(1, -1), encodeURIComponent(line)]
  return [...new Set(lines.flatMap(written))]
}

/** Shorter values are parts of words: hidden inside one they would make every line unreadable. */
const SHORT = 6

function patternOf(known: ReadonlySet<string>): RegExp | undefined {
  if (known.size === 0) return undefined
  const longestFirst = [...known].sort((a, b) => b.length - a.length)
  const parts = longestFirst.map((value) => {
    const escaped = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
    return value.length < SHORT ? `(?<![\\w])${escaped}(?![\\w])` : escaped
  })
  return new RegExp(parts.join('|'), 'g')
}
