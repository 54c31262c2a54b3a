/** Says facts and the children's log lines on standard output: for people on a terminal, else as JSON. */
import type { LogLevel } from '../lib/log.ts'
import type { LaunchFact } from './facts.ts'
import { factLine, levelOf, readyLines } from './words.ts'

export type VoiceOptions = {
  format: 'pretty' | 'json'
  level: LogLevel
  colour: boolean
  write: (text: string) => void
}

export type Voice = { say(fact: LaunchFact): void; note(sentence: string): void }

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export function createVoice(options: VoiceOptions): Voice {
  const { format, write } = options
  const isHeard = (level: LogLevel) => LEVELS.indexOf(level) >= LEVELS.indexOf(options.level)
  const say = format === 'json' ? sayJson : sayPretty
  return {
    say(fact) {
      if (isHeard(levelOf(fact))) say(fact, options)
    },
    note: (sentence) =>
      write(
        format === 'json'
          ? `${JSON.stringify({ ...stamp('info'), type: 'note', message: sentence })}\n`
          : `${sentence}\n`,
      ),
  }
}

function sayPretty(fact: LaunchFact, options: VoiceOptions): void {
  for (const line of prettyLines(fact, options)) options.write(`${line}\n`)
}

function prettyLines(fact: LaunchFact, options: VoiceOptions): string[] {
  if (fact.type === 'ready') return readyLines(fact, options)
  const line = fact.type === 'child_line' ? prettyChildLine(fact, options) : factLine(fact, options)
  return line === undefined ? [] : [line]
}

function stamp(level: LogLevel, process = 'supervisor') {
  return { time: new Date().toISOString(), level, process }
}

function sayJson(fact: LaunchFact, { write }: VoiceOptions): void {
  write(`${jsonLine(fact)}\n`)
}

/** A child's own JSON lines pass unchanged; anything else it prints is wrapped. */
function jsonLine(fact: LaunchFact): string {
  const level = levelOf(fact)
  if (fact.type !== 'child_line')
    return JSON.stringify({ ...stamp(level), ...fact, message: factLine(fact, { colour: false })?.trim() })
  const { name, stream, line } = fact
  return line.startsWith('{') ? line : JSON.stringify({ ...stamp(level, name), stream, message: line })
}

type ChildLine = Extract<LaunchFact, { type: 'child_line' }>

/** `io-1 │ message key=value`; lines that are not ours are shown as they are. */
function prettyChildLine({ name, line }: ChildLine, { level }: VoiceOptions): string | undefined {
  const parsed = parseLine(line)
  if (LEVELS.indexOf(parsed?.level ?? 'info') < LEVELS.indexOf(level)) return undefined
  return `${name.padEnd(10)} │ ${parsed ? parsed.text : line}`
}

function parseLine(line: string): { level: LogLevel; text: string } | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { level, time: _t, process: _p, message, ...facts } = JSON.parse(line) as Record<string, unknown>
    const rest = Object.entries(facts).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${plain(value)}`],
    )
    return { level: level as LogLevel, text: [message, ...rest].join(' ') }
  } catch {
    return undefined // a line that only looks like ours
  }
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
