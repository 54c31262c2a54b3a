/** Which facts the chronicle keeps, and how they stand in it. */
import type { StackTop } from '../supervisor/facts.ts'
import type { ChronicleEntry } from './chronicle.ts'
import type { LaunchFact } from './facts.ts'
import { heardWords, oneLine, type RunEnd } from './run-end.ts'
import { factLine } from './words.ts'

type Kept = Pick<ChronicleEntry, 'process' | 'event' | 'text' | 'facts'>

/** Null for what changes no state: lines of logs, and what is said while something goes on. */
export function entryOf(fact: LaunchFact): Kept | null {
  const text = textOf(fact)
  if (text === null || NOT_KEPT.has(fact.type)) return null
  return { process: processOf(fact), event: fact.type.replace(/^child_/, ''), text, facts: factsOf(fact) }
}

const NOT_KEPT: ReadonlySet<LaunchFact['type']> = new Set([
  'child_line',
  'api_line',
  'progress',
  'process_status',
  'stop_waiting',
  'log_fault',
])

/** A process that is being replaced, and the one that replaces it, belong to one slot. */
export function slotOf(name: string): string {
  return name.replace(/\.(next|old)$/, '')
}

function processOf(fact: LaunchFact): string {
  if (fact.type === 'component_stopped') return 'supervisor'
  if (fact.type === 'redis_changed') return 'redis'
  if ('name' in fact) return slotOf(fact.name)
  if ('worker' in fact) return slotOf(fact.worker)
  return 'process' in fact ? slotOf(fact.process) : 'supervisor'
}

/** Null: there is nothing to say. */
function textOf(fact: LaunchFact): string | null {
  const line = factLine(fact, { colour: false })
  return line?.replace(/^[\s✔]+/, '').replace(/\s{2,}/g, ' ') ?? ownWords(fact)
}

/** For what is no line on the terminal. */
function ownWords(fact: LaunchFact): string | null {
  switch (fact.type) {
    case 'boot_failed':
      return `Showrunner could not be started: ${fact.reason}`
    case 'stop_asked':
      return `${fact.signal} asks Showrunner to stop`
    case 'faulted':
      return `an unexpected error ends Showrunner: ${fact.reason}`
    case 'booted':
      return bootWords(fact)
    case 'ready':
      return `everything is ready, ${fact.ms} ms after the start`
    case 'child_spawned':
      return `${fact.name} was started as process ${fact.pid}`
    case 'child_ready':
      return `${fact.name} is ready, ${Math.round(fact.ms)} ms after its start`
    case 'child_boot_missed':
      return `${fact.name} was not ready within ${fact.deadlineMs / 1_000} s; it is ended`
    case 'child_suspected':
      return `${fact.name} ${fact.reason}`
    case 'child_recovered':
      return `${fact.name} gives signs of life again, after ${(fact.silentMs / 1_000).toFixed(1)} s`
    case 'child_exited':
      return `${fact.name} ended: ${fact.reason}`
    case 'child_stopping':
      return `${fact.name} is told to stop`
    case 'child_replacing':
      return `a successor of ${fact.name} is started: ${fact.why}`
    case 'child_replaced':
      return `the successor of ${fact.name} serves now`
    case 'child_replace_failed':
      return `the successor of ${fact.name} did not come up: ${fact.reason}`
    default:
      return null
  }
}

function bootWords({ version, pid, before }: Extract<LaunchFact, { type: 'booted' }>): string {
  const start = `Showrunner ${version} was started as process ${pid}`
  if (before === null) return start
  return `${start}; the run before ${BEFORE[before.how](before)} at ${before.at}`
}

const BEFORE: Record<RunEnd['how'], (end: RunEnd) => string> = {
  stopped: () => 'was stopped',
  boot_failed: ({ reason }) => `could not be started (${reason}),`,
  faulted: ({ reason }) => `ended by an unexpected error (${reason}),`,
  lost: (end) => `ended without a stop (killed, or the power failed), ${heardWords(end)}`,
}

/** Of the output only the line that says why: the log has the rest. */
const LINE_LENGTH = 300

/** An error is followed by its stack. */
function complaintIn(lines: readonly string[]): string | null {
  const found = lines.findLast((line) => COMPLAINT.test(line) && !/^\s*at\s/.test(line) && !line.startsWith('{'))
  return found?.trim().slice(0, LINE_LENGTH) ?? null
}

const COMPLAINT = /error|fatal|panic|cannot|failed/i

function factsOf(fact: LaunchFact): Record<string, unknown> {
  const { type: _, ...facts } = fact as LaunchFact & Record<string, unknown>
  if (fact.type === 'ready') return { url: fact.url, ms: fact.ms, interrupted: fact.interrupted.length }
  // Of these much may be said, and facts that are too long are left out.
  if (fact.type === 'boot_failed' || fact.type === 'faulted') return { reason: oneLine(fact.reason) }
  if (fact.type === 'child_ready') return { name: fact.name, ms: Math.round(fact.ms) }
  if (fact.type === 'child_exited') {
    delete facts.lines
    facts.complaint = complaintIn(fact.lines)
  }
  if ('where' in fact) facts.where = whereOf(fact.where)
  return facts
}

function whereOf(where: StackTop | null) {
  return where && { function: where.function, file: where.file, line: where.line, task: where.scope }
}
