/** A few lines at the bottom of a terminal that are rewritten in place, below whatever else is written. */
import { columnsOf } from '../lib/columns.ts'

export type LiveRegion = {
  /** Ordinary output, in whole lines; it goes by above the region. */
  write(text: string, isLast?: boolean): void
  /** Replaces the region; without lines nothing of it is left. */
  show(lines: readonly string[]): void
  /** A shell has written below (after Ctrl+Z): the old lines stay where they are. */
  forget(): void
}

export type RegionOptions = { write: (text: string, isLast?: boolean) => void; columns: () => number }

const ESC = '\x1b['
/** The terminal cuts what is too wide after all, instead of beginning another line. */
const [WRAP_OFF, WRAP_ON] = [`${ESC}?7l`, `${ESC}?7h`]

export function createLiveRegion({ write, columns }: RegionOptions): LiveRegion {
  let shown: readonly string[] = []

  /** A terminal that has become narrower has broken the old lines in two. */
  function erase(): string {
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / columns())), 0)
    return rows === 0 ? '' : `\r${ESC}${rows}A${ESC}J`
  }

  function draw(): string {
    return shown.length === 0 ? '' : `${WRAP_OFF}${shown.join('\n')}\n${WRAP_ON}`
  }

  return {
    write: (text, isLast) => write(`${erase()}${text}${draw()}`, isLast),
    show(lines) {
      const before = erase()
      shown = lines
      if (before !== '' || shown.length > 0) write(`${before}${draw()}`)
    },
    forget() {
      shown = []
    },
  }
}
