/** Writes to a stream whose reader may stall or go away: what it does not take is counted, and not kept. */
import type { Writable } from 'node:stream'
import { within } from '../lib/until.ts'

export type PatientWriter = {
  /** Whole lines. `isLast`: of those that nobody may miss, and of which there are few. */
  write(text: string, isLast?: boolean): void
  /** `say` gets how many lines were left out, before any other follows them. */
  onLeftOut(say: (lines: number) => void): void
  /** Resolves when all is taken, at the latest after so long. */
  flush(ms: number): Promise<void>
}

/** Characters that may wait to be taken. */
const MAX_WAITING = 1024 * 1024

export function createPatientWriter(stream: Writable): PatientWriter {
  let gone = false
  let leftOut = 0
  let say = (_lines: number) => {}
  // After EPIPE (the reader has gone) or EIO (the terminal has) nothing more is said.
  stream.on('error', () => {
    gone = true
  })
  stream.on('drain', sayLeftOut)

  function sayLeftOut(): void {
    if (leftOut === 0) return
    const lines = leftOut
    leftOut = 0
    say(lines)
  }

  return {
    write(text, isLast = false) {
      if (gone) return
      if (isLast) sayLeftOut()
      // Once something is left out all is, until the reader has caught up: one gap, not one at every other line.
      else if (leftOut > 0 || stream.writableLength > MAX_WAITING) leftOut += text.split('\n').length - 1
      if (leftOut === 0) stream.write(text)
    },
    onLeftOut(callback) {
      say = callback
    },
    async flush(ms) {
      if (gone || stream.writableLength === 0) return
      await within(new Promise<void>((resolve) => stream.write('', () => resolve())), ms, undefined)
    },
  }
}
