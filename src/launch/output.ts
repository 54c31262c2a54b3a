/** Standard output that may go away: a closed terminal or pipe must not end the program. */

export type Output = { write(text: string): void; writeError(text: string): void; colour: boolean }

export function createOutput(): Output {
  return {
    write: quietly(process.stdout),
    writeError: quietly(process.stderr),
    colour: process.stdout.isTTY === true && process.stdout.hasColors(),
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
