/** The three ways to get live messages, all alike: each yields until it is cut (throws) or all has been said (returns). */
import type { EventPage } from '../api/schemas/live.ts'
import { AppError } from '../lib/errors.ts'
import type { LiveMessage } from '../stream/events.ts'
import { type ClientSettings, callApi, callJson } from './call.ts'
import { createEventParser } from './event-parser.ts'
import type { LiveFrame, LiveRequest } from './live-request.ts'
import { pathOf } from './paths.ts'
import { readSocket } from './socket.ts'
import { createWatchdog } from './watchdog.ts'

export type Transport = 'sse' | 'ws' | 'poll'

export type ReadLive = (settings: ClientSettings, request: LiveRequest) => AsyncGenerator<LiveFrame, void>

export const TRANSPORTS: Record<Transport, ReadLive> = { sse: readStream, ws: readSocket, poll: readPages }

async function* readStream(settings: ClientSettings, { id, signal, ...query }: LiveRequest) {
  const watchdog = createWatchdog(signal)
  try {
    const headers = { Accept: 'text/event-stream' }
    const call = { query, headers, signal: watchdog.signal }
    const response = await callApi(settings, pathOf(id, 'events'), call)
    if (response.status === 204 || !response.body) return
    const parse = createEventParser()
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    const cancel = () => void reader.cancel(watchdog.signal.reason).catch(() => {}) // it is over already
    watchdog.signal.addEventListener('abort', cancel, { once: true })
    if (watchdog.signal.aborted) cancel()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) throw cutOff()
      watchdog.heard()
      for (const event of parse(value)) yield { message: JSON.parse(event.data) as LiveMessage, cursor: event.id }
    }
  } catch (error) {
    throw asCut(error, watchdog.signal)
  } finally {
    watchdog.stop()
  }
}

const WAIT_S = 25

async function* readPages(settings: ClientSettings, { id, signal, since, ...rest }: LiveRequest) {
  const patient = { ...settings, timeoutMs: (WAIT_S + 15) * 1000 }
  const headers = { Accept: 'application/json' }
  for (let next = since; ; ) {
    const startedMs = performance.now()
    const query = { ...rest, since: next, wait: WAIT_S }
    const page = await callJson<EventPage>(patient, pathOf(id, 'events'), { query, headers, signal })
    next = page.next
    for (const [i, message] of page.events.entries())
      yield { message: message as LiveMessage, cursor: i === page.events.length - 1 ? next : undefined }
    if (page.closed) return
    // A server that stops answers at once; asking it again at once would only heat the room.
    if (page.events.length === 0 && performance.now() - startedMs < 500) throw cutOff()
  }
}

function cutOff(): AppError {
  return new AppError('unavailable', 'The connection was cut', { retryable: true })
}

/** What a body throws when its connection dies is no error of ours yet. */
function asCut(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof AppError) return error
  return new AppError('unavailable', 'The connection was cut', { cause: error, retryable: true })
}
