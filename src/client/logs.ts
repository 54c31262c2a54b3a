/** The logs of a server: pages, and lines as they are written. */
import type { LogLine, LogPage, LogQuery } from '../api/schemas/logs.ts'
import { type Backoff, backoffMs } from '../lib/backoff.ts'
import { AppError, ERRORS } from '../lib/errors.ts'
import { type CallOptions, type ClientSettings, callJson } from './call.ts'
import { readEvents } from './event-source.ts'
import { pause } from './pause.ts'

type PageQuery = Omit<LogQuery, 'follow'>

/** Instead of lines that had gone before they could be read. */
export type LostLines = { lost: number; process: string }

const LOGS = '/api/v1/logs'
const RECONNECT: Backoff = { firstMs: 200, factor: 2, maxMs: 5_000 }

/** Of the operator. */
export function createLogCalls(settings: ClientSettings) {
  return {
    page: (query: PageQuery = {}, options?: CallOptions) => callJson<LogPage>(settings, LOGS, { ...options, query }),
    follow: (query: PageQuery = {}, options?: CallOptions) => followLogs(settings, query, options),
  }
}

/** Connects again by itself and goes on where it was. Throws the signal's reason, and what trying again cannot change. */
async function* followLogs(
  settings: ClientSettings,
  query: PageQuery,
  { signal }: CallOptions = {},
): AsyncGenerator<LogLine | LostLines, void> {
  let cursor: string | undefined
  for (let failures = 0; ; ) {
    try {
      const headers: Record<string, string> = cursor === undefined ? {} : { 'Last-Event-ID': cursor }
      for await (const event of readEvents(settings, LOGS, { query: { ...query, follow: 'true' }, headers, signal })) {
        failures = 0
        cursor = event.id ?? cursor
        yield JSON.parse(event.data) as LogLine | LostLines
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof AppError) || ERRORS[error.code].status < 500) throw error
    }
    await pause(backoffMs(++failures, RECONNECT), signal)
  }
}
