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
    part = part.slice(0, lastWordEnd(part, maxLength))
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

const WORD_LENGTH = 512

/** A word is not cut in two: half of a secret would not be known for one. */
function lastWordEnd(text: string, maxLength: number): number {
  const end = text.lastIndexOf(' ', maxLength)
  return maxLength - end <= WORD_LENGTH && end > 0 ? end : maxLength
}

/** A child that floods us waits when its lines have cost so much in one turn: others are heard in between. */
const TURN_BUDGET_MS = 4

/** Attach in the tick of the spawn: what a child wrote before a reader is there gets lost when it exits. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const splitter = createLineSplitter(onLine)
  const budget = createTurnBudget(TURN_BUDGET_MS, () => stream.resume())
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    if (budget.spend(() => splitter.push(text))) stream.pause()
  })
  stream.on('close', () => splitter.end())
  stream.on('error', () => {}) // a broken pipe says nothing that the exit does not
}

/** `spend` says whether this turn's budget is used up; `renewed` is called in the turn after such a one. */
function createTurnBudget(budgetMs: number, renewed: () => void) {
  let leftMs = budgetMs
  let isCounting = false
  return {
    spend(work: () => void): boolean {
      const startMs = performance.now()
      work()
      leftMs -= performance.now() - startMs
      if (!isCounting) setImmediate(renew)
      isCounting = true
      return leftMs <= 0
    },
  }

  function renew(): void {
    isCounting = false
    const wasUsedUp = leftMs <= 0
    leftMs = budgetMs
    if (wasUsedUp) renewed()
  }
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
