/** What a terminal would show: just enough of one (ECMA-48) to see lines being rewritten in place. */

export type Screen = {
  write(text: string): void
  /** The lines so far, without empty ones at the end. */
  lines(): string[]
  /** Lines that have been there. */
  readonly erased: readonly string[]
}

const ESC = '\x1b'
const SEQUENCE = new RegExp(`${ESC}\\[(\\??)(\\d*)([A-Za-z])|\\r|\\n|[^${ESC}\\r\\n]+`, 'g')

export function createScreen(): Screen {
  const rows: string[] = ['']
  const erased: string[] = []
  let [row, column] = [0, 0]

  function print(text: string): void {
    const before = (rows[row] ?? '').padEnd(column).slice(0, column)
    rows[row] = before + text + (rows[row] ?? '').slice(column + text.length)
    column += text.length
  }

  function obey(order: string, count: number): void {
    if (order === 'A') row = Math.max(0, row - count)
    else if (order === 'J') {
      erased.push(...rows.slice(row))
      rows[row] = (rows[row] ?? '').slice(0, column)
      rows.length = row + 1
    } else if (order !== 'm') throw new Error(`This terminal does not know ESC [ ${order}`)
  }

  return {
    write(text) {
      for (const [all, isPrivate, count, order] of text.matchAll(SEQUENCE)) {
        if (all === '\r') column = 0
        else if (all === '\n') [row, column] = [row + 1, 0]
        else if (order === undefined) print(all)
        else if (isPrivate === '') obey(order, Number(count || 1))
        rows[row] ??= ''
      }
    },
    erased,
    lines: () => rows.slice(0, rows.findLastIndex((line) => line !== '') + 1),
  }
}
