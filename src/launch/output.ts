/** Standard output that may stall or go away: neither a closed terminal nor a paused pipe may harm the program. */
import { createLiveRegion, type LiveRegion } from './live-region.ts'
import { createPatientWriter, type PatientWriter } from './patient-writer.ts'

export type Output = Pick<PatientWriter, 'write' | 'onLeftOut'> & {
  writeError(text: string): void
  colour: boolean
  /** What can be rewritten in place; null where that would only leave garbage. */
  terminal: Terminal | null
  /** Resolves when all is read, or soon: who does not read cannot keep the program from its end. */
  flush(): Promise<void>
}

export type Terminal = Pick<LiveRegion, 'show' | 'forget'> & { columns(): number; rows(): number }

/** Of a terminal that does not say, as those of some tools. */
const [COLUMNS, ROWS] = [80, 24]

const FLUSH_MS = 500

export function createOutput(): Output {
  const { stdout, stderr } = process
  const columns = () => stdout.columns || COLUMNS
  for (const stream of [stdout, stderr]) setBlocking(stream, false)
  const [out, error] = [createPatientWriter(stdout), createPatientWriter(stderr)]
  const region = createLiveRegion({ write: out.write, columns })
  return {
    write: stdout.isTTY ? region.write : out.write,
    onLeftOut: out.onLeftOut,
    writeError: (text) => error.write(text, true),
    colour: stdout.isTTY === true && stdout.hasColors(),
    terminal: stdout.isTTY ? { ...region, columns, rows: () => stdout.rows || ROWS } : null,
    async flush() {
      await Promise.all([out.flush(FLUSH_MS), error.flush(FLUSH_MS)])
      for (const stream of [stdout, stderr]) setBlocking(stream, true) // others may have it open too
    },
  }
}

/**
 * Node writes to a terminal synchronously, so that one which does not read (Ctrl+S, a connection that hangs) would
 * stop all of us. What Node itself uses for this is not public: where it is gone, it is as before.
 */
function setBlocking(stream: NodeJS.WriteStream, blocking: boolean): void {
  if (!stream.isTTY) return
  const { _handle } = stream as { _handle?: { setBlocking?(blocking: boolean): void } }
  _handle?.setBlocking?.(blocking)
}
