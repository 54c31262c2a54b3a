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

/** Our own processes print JSON; anything else is a message, on standard error a warning. */
export function parsePrinted(line: string, stream: LogStream): Spoken {
  return parseOwn(line) ?? { level: stream === 'stderr' ? 'warn' : 'info', message: line }
}

function parseOwn(line: string): Spoken | undefined {
  if (!line.startsWith('{"level":"')) return undefined
  try {
    const { level, time: _t, process: _p, message, ...facts } = JSON.parse(line) as Spoken & Record<string, unknown>
    if (!LEVELS.includes(level)) return undefined
    const spoken = { level, message: typeof message === 'string' ? message : '' }
    return Object.keys(facts).length > 0 ? { ...spoken, facts } : spoken
  } catch {
    return undefined // one that only looks like ours, or was cut for its length
  }
}
