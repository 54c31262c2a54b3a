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

export type FollowOptions = CallOptions & {
  /** Where the server is by now, e.g. on another port; asked before each try to come back. */
  locate?: () => Promise<string | undefined>
  /** Once for each cut, when the server is not there again at once. */
  onAbsent?: () => void
}

const LOGS = '/api/v1/logs'
const RECONNECT: Backoff = { firstMs: 200, factor: 2, maxMs: 5_000 }

/** Of the operator. */
export function createLogCalls(settings: ClientSettings) {
  return {
    page: (query: PageQuery = {}, options?: CallOptions) => callJson<LogPage>(settings, LOGS, { ...options, query }),
    follow: (query: PageQuery = {}, options?: FollowOptions) => followLogs(settings, query, options),
  }
}

/**
 * After a cut it connects again by itself and goes on where it was. Throws why it could not connect the first time, the
 * signal's reason, and what trying again cannot change.
 */
async function* followLogs(
  settings: ClientSettings,
  query: PageQuery,
  { signal, locate, onAbsent }: FollowOptions = {},
): AsyncGenerator<LogLine | LostLines, void> {
  let cursor: string | undefined
  let { url } = settings
  let wasOpen = false
  for (let failures = 0; ; ) {
    const onOpen = () => {
      wasOpen = true
      failures = 0
    }
    try {
      const headers: Record<string, string> = cursor === undefined ? {} : { 'Last-Event-ID': cursor }
      const request = { query: { ...query, follow: 'true' }, headers, signal, onOpen }
      for await (const event of readEvents({ ...settings, url }, LOGS, request)) {
        cursor = event.id ?? cursor
        yield JSON.parse(event.data) as LogLine | LostLines
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!wasOpen || !(error instanceof AppError) || ERRORS[error.code].status < 500) throw error
    }
    failures++
    if (failures === 2) onAbsent?.() // the first was the cut itself
    await pause(backoffMs(failures, RECONNECT), signal)
    url = (await locate?.()) ?? url
  }
}
