/** The one place that prints: data on standard output, words for people on standard error. */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]
type Stream = NodeJS.WriteStream

export type OutputOptions = { json: boolean; quiet: boolean; color: boolean; stdout: Stream; stderr: Stream }

export type Output = {
  readonly json: boolean
  /** Standard error is a terminal that may be drawn on. */
  readonly interactive: boolean
  /** With `--json` the value, else the text; on standard output. */
  data(value: unknown, text: string): void
  /** A line for people; silent with `--quiet`. */
  say(line: string): void
  /** A piece of text for people, without a line's end; silent with `--quiet`. */
  write(text: string): void
  /** An error or warning; never silent. */
  warn(line: string): void
  /** Draws over the present line of a terminal; an empty text clears it. */
  draw(line: string): void
  paint(style: Style, text: string): string
}

const CLEAR_LINE = '\r\u001b[2K'

export function createOutput({ json, quiet, color, stdout, stderr }: OutputOptions): Output {
  const interactive = stderr.isTTY === true && !quiet
  return {
    json,
    interactive,
    data: (value, text) => void stdout.write(json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${text}\n`),
    say(line) {
      if (!quiet) stderr.write(`${line}\n`)
    },
    write(text) {
      if (!quiet) stderr.write(text)
    },
    warn: (line) => void stderr.write(`${line}\n`),
    draw(line) {
      if (interactive) stderr.write(CLEAR_LINE + line.slice(0, Math.max(0, (stderr.columns ?? 80) - 1)))
    },
    // Coloured text is data or words alike: both are for a terminal, or plain.
    paint: (style, text) => (color ? styleText(style, text, { stream: stdout.isTTY ? stdout : stderr }) : text),
  }
}
