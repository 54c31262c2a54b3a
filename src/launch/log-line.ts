/** One line of a log: what a process printed, or what the supervisor says about the processes. */
import type { LogLevel } from '../lib/log.ts'

export type LogLine = {
  /** Microseconds since 1970, never twice the same and never falling: orders the lines of all processes. */
  id: number
  /** Number of the line in its process's log: where one is missing, lines were left out. */
  line: number
  at: string
  process: string
  pid: number | null
  stream: LogStream
  level: LogLevel
  message: string
  facts?: Record<string, unknown>
}

/** `fact`: said by the supervisor; `api`: by the API, which is in the same process. */
export type LogStream = 'stdout' | 'stderr' | 'fact' | 'api'

export const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export type Spoken = { level: LogLevel; message: string; facts?: Record<string, unknown> }

/** Our own processes print JSON; anything else is a message. */
export function parsePrinted(line: string, stream: LogStream): Spoken {
  return parseOwn(line) ?? asMessage(line, stream)
}

/** Also of JSON that is not ours; on standard error it is a warning. */
export function asMessage(line: string, stream: LogStream): Spoken {
  return { level: stream === 'stderr' ? 'warn' : 'info', message: line }
}

type OwnLine = { level: LogLevel; time: string; process: string; message: string }

/** Undefined for a line that our log has not written. */
export function parseOwn(line: string): Spoken | undefined {
  if (!line.startsWith('{"level":"')) return undefined
  try {
    const { level, time, process, message, ...facts } = JSON.parse(line) as OwnLine & Record<string, unknown>
    if (!LEVELS.includes(level) || [time, process, message].some((part) => typeof part !== 'string')) return undefined
    return Object.keys(facts).length > 0 ? { level, message, facts } : { level, message }
  } catch {
    return undefined // one that only looks like ours, or was cut for its length
  }
}
