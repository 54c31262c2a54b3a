/** Log lines for people: whose line it is, in the process's own colour, and what it says. */
import type { styleText } from 'node:util'
import type { LogLevel } from '../lib/log.ts'
import { slotOf } from './entries.ts'
import type { LogStream, Spoken } from './log-line.ts'

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/** `io-1       │ message key=value`. What the supervisor says is a whole sentence; its facts would only repeat it. */
export function prettyLine(name: string, spoken: Spoken & { stream?: LogStream }, paint: Paint): string {
  const style = LEVEL_STYLES[spoken.level]
  const text = harmless(spokenText(spoken))
  return `${paint(styleOf(name), `${name.padEnd(10)} │`)} ${style ? paint(style, text) : text}`
}

const LEVEL_STYLES: Partial<Record<LogLevel, 'dim' | 'yellow' | 'red'>> = { debug: 'dim', warn: 'yellow', error: 'red' }

/** Red and yellow are for what is wrong. */
const STYLES = ['cyan', 'magenta', 'blue', 'green', 'cyanBright', 'magentaBright', 'blueBright', 'greenBright'] as const

/** The same in every run; the numbers are chosen so that the usual names differ. */
function styleOf(name: string): (typeof STYLES)[number] {
  const sum = [...slotOf(name)].reduce((hash, letter) => (hash * 5 + letter.charCodeAt(0)) % 1_021, 7)
  return STYLES[sum % STYLES.length]!
}

/** What others print cannot give orders to the terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}--\t]/gv, '·')
}

function spokenText({ message, facts = {}, stream }: Spoken & { stream?: LogStream }): string {
  if (stream === 'fact') return message
  const rest = Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${plain(value)}`]))
  return [message, ...rest].join(' ')
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
