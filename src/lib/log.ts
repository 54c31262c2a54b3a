/** Structured logs: code states facts, this file (and supervisor-side words.ts) turns them into lines. */
import pino from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Log = {
  debug(facts: Record<string, unknown>, message: string): void
  info(facts: Record<string, unknown>, message: string): void
  warn(facts: Record<string, unknown>, message: string): void
  error(facts: Record<string, unknown>, message: string): void
  child(facts: Record<string, unknown>): Log
}

/** Names whose values never appear in a line. */
const SECRET_KEYS = [
  'token',
  'password',
  'authorization',
  'api_key',
  'apiKey',
  'cookie',
  '*.token',
  '*.password',
  '*.authorization',
  '*.api_key',
  '*.apiKey',
  '*.cookie',
]

/**
 * JSON lines on standard output, one write each, so that nothing is lost when the process is killed; or to `write`,
 * without their ends.
 */
export function createLog(name: string, level: LogLevel, write?: (line: string) => void): Log {
  return pino(
    {
      level,
      base: { process: name },
      redact: { paths: SECRET_KEYS, censor: '***' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      serializers: { error: pino.stdSerializers.err },
    },
    write ? { write: (text: string) => write(text.trimEnd()) } : destination(),
  )
}

/** pino leaves only EPIPE (the reader has gone) to itself; EIO (the terminal has) would be thrown at whoever logs. */
function destination() {
  return pino.destination({ fd: 1, sync: true }).on('error', () => {})
}

/** A log that says nothing, for tests and pure code. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
