/** Splits a child's output into lines without ever holding more than one bounded line. */
import type { Readable } from 'node:stream'

export const MAX_LINE_LENGTH = 64 * 1024
const CUT_MARK = ' … [cut]'

export type LineSplitter = { push(text: string): void; end(): void }

/** A longer line is cut and marked; what follows up to its newline is dropped. */
export function createLineSplitter(onLine: (line: string) => void, maxLength = MAX_LINE_LENGTH): LineSplitter {
  let part = ''
  let cut = false

  function hold(text: string): void {
    if (cut) return
    part += text
    if (part.length <= maxLength) return
    part = part.slice(0, maxLength)
    cut = true
  }

  function finish(text: string): void {
    hold(text)
    onLine((part.endsWith('\r') ? part.slice(0, -1) : part) + (cut ? CUT_MARK : ''))
    part = ''
    cut = false
  }

  return {
    push(text) {
      let from = 0
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
        finish(text.slice(from, at))
        from = at + 1
      }
      if (from < text.length) hold(text.slice(from))
    },
    end() {
      if (part !== '') finish('')
    },
  }
}

/** Attach in the tick of the spawn: what a child wrote before a reader is there gets lost when it exits. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const splitter = createLineSplitter(onLine)
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => splitter.push(text))
  stream.on('close', () => splitter.end())
  stream.on('error', () => {}) // a broken pipe says nothing that the exit does not
}

export type LineRing = { add(line: string): void; list(): string[]; clear(): void }

/** The last lines of a child, for people who ask why it ended. */
export function createLineRing(size = 20, maxLength = 1_000): LineRing {
  let lines: string[] = []
  return {
    add(line) {
      lines.push(line.slice(0, maxLength))
      if (lines.length > size) lines.shift()
    },
    list: () => [...lines],
    clear() {
      lines = []
    },
  }
}
