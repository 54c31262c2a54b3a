/** Standard output that may go away: a closed terminal or pipe must not end the program. */
import { createLiveRegion, type LiveRegion } from './live-region.ts'

export type Output = Pick<LiveRegion, 'write'> & {
  writeError(text: string): void
  colour: boolean
  /** What can be rewritten in place; null where that would only leave garbage. */
  terminal: Terminal | null
}

export type Terminal = Pick<LiveRegion, 'show' | 'forget'> & { columns(): number; rows(): number }

/** Of a terminal that does not say, as those of some tools. */
const [COLUMNS, ROWS] = [80, 24]

export function createOutput(): Output {
  const { stdout, stderr } = process
  const columns = () => stdout.columns || COLUMNS
  const region = createLiveRegion({ write: quietly(stdout), columns })
  return {
    write: region.write,
    writeError: quietly(stderr),
    colour: stdout.isTTY === true && stdout.hasColors(),
    terminal: stdout.isTTY ? { ...region, columns, rows: () => stdout.rows || ROWS } : null,
  }
}

/** After EPIPE (the reader has gone) or EIO (the terminal has) nothing more is said. */
function quietly(stream: NodeJS.WriteStream): (text: string) => void {
  let gone = false
  stream.on('error', () => {
    gone = true
  })
  return (text) => {
    if (!gone) stream.write(text)
  }
}
