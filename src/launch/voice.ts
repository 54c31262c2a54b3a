/** Says facts and the processes' log lines on standard output: for people on a terminal, else as JSON. */
import { styleText } from 'node:util'
import type { LogLevel } from '../lib/log.ts'
import { cleanJson, createRedactor, type Redactor } from '../lib/redact.ts'
import { slotOf } from './entries.ts'
import type { LaunchFact } from './facts.ts'
import { createFloodGate } from './flood-gate.ts'
import { asMessage, LEVELS, parseOwn } from './log-line.ts'
import { logPath } from './log-pages.ts'
import { type Paint, prettyLine } from './log-words.ts'
import { factLine, levelOf, readyLines } from './words.ts'

export type VoiceOptions = {
  format: 'pretty' | 'json'
  level: LogLevel
  colour: boolean
  /** `isLast`: of those that tell how the program ends, which nobody may miss. */
  write: (text: string, isLast?: boolean) => void
  /** What is known to be secret is not said. */
  redactor?: Redactor
  /** Where the logs are, for who looks for what was left out here. */
  logs?: string
}

export type Voice = {
  say(fact: LaunchFact): void
  note(sentence: string): void
  /** Of all that was to be said, so many lines were not, because nobody took them. */
  leftOut(lines: number): void
}

export function createVoice(options: VoiceOptions): Voice {
  const { format, logs = 'logs', redactor = createRedactor() } = options
  const paint: Paint = (style, text) => (options.colour ? styleText(style, text, { validateStream: false }) : text)
  let isEnding = false
  const write = (text: string, isLast = false) => options.write(`${text}\n`, isLast)
  const gate = createFloodGate({ onLeftOut: (name, lines) => sayLine({ ...leftOut(name, lines, logs), pid: null }) })

  function sayFact(fact: LaunchFact): void {
    isEnding ||= ENDINGS.has(fact.type)
    if (rank(levelOf(fact)) < rank(options.level)) return
    // The login link is said on purpose; it is no use a second time.
    const clean = fact.type === 'ready' ? redactor.cleanKnown : redactor.clean
    if (format === 'json') write(jsonFact(fact, clean), isEnding)
    else for (const line of prettyFact(fact, options)) write(clean(line), isEnding)
  }

  function sayLine(printed: Printed): void {
    const own = parseOwn(printed.line)
    const spoken = own ?? asMessage(printed.line, printed.stream)
    const level = printed.name === 'redis' && spoken.level === 'info' ? 'debug' : spoken.level
    if (rank(level) < rank(options.level)) return
    if (format === 'pretty') write(prettyLine(printed.name, spoken, paint))
    // Our own JSON passes unchanged; that of others may lack what every line has to have.
    else write(own ? printed.line : jsonOf(level, { stream: printed.stream, message: spoken.message }, printed.name))
  }

  return {
    say(fact) {
      const printed = printedBy(fact)
      if (!printed) sayFact(fact)
      else if (gate.admits(printed.name, printed.line)) sayLine({ ...printed, line: redactor.clean(printed.line) })
    },
    note: (sentence) => write(format === 'json' ? jsonOf('info', { type: 'note', message: sentence }) : sentence),
    leftOut(lines) {
      const message = `${lines} lines are not shown here, because nobody has read them in time; they are in ${logs}`
      write(format === 'json' ? jsonOf('warn', { type: 'left_out', lines, message }) : message, true)
    },
  }
}

/** From the first of these on, what the supervisor says is how the program ends. */
const ENDINGS = new Set<LaunchFact['type']>(['stop_asked', 'stopping', 'faulted', 'boot_failed'])

type Printed = { name: string; pid: number | null; stream: 'stdout' | 'stderr' | 'api'; line: string }

function printedBy(fact: LaunchFact): Printed | undefined {
  if (fact.type === 'child_line') return fact
  return fact.type === 'api_line' ? { name: 'api', pid: null, stream: 'api', line: fact.line } : undefined
}

function leftOut(name: string, lines: number, logs: string): Omit<Printed, 'pid'> {
  const file = logPath(logs, name === 'api' ? 'supervisor' : slotOf(name))
  const message = `${lines} more lines are not shown here; they are in ${file}`
  return { name, stream: 'stdout', line: jsonOf('warn', { message }, name) }
}

function rank(level: LogLevel): number {
  return LEVELS.indexOf(level)
}

function jsonOf(level: LogLevel, facts: object, process = 'supervisor'): string {
  return JSON.stringify({ level, time: new Date().toISOString(), process, ...facts })
}

function jsonFact(fact: LaunchFact, clean: (text: string) => string): string {
  const message = factLine(fact, { colour: false })?.trim()
  return jsonOf(levelOf(fact), JSON.parse(cleanJson({ ...fact, message }, clean)) as object)
}

function prettyFact(fact: LaunchFact, wording: { colour: boolean }): string[] {
  if (fact.type === 'ready') return readyLines(fact, wording)
  return factLine(fact, wording)?.split('\n') ?? []
}
