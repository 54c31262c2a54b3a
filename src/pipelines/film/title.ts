/** What a project is called when nobody says. */

const TITLE_LENGTH = 80

/** The first line that says something, without the marks of a heading, list or quotation. */
export function firstLine(text: string): string {
  const line = text.split('\n').find((l) => l.trim() !== '') ?? text
  const plain = line.replace(/^[\s#>*-]+/, '').trim()
  return [...plain].slice(0, TITLE_LENGTH).join('') || 'Untitled'
}
