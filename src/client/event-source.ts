/** One connection to a stream of server-sent events, up to its cut or its end. */
import { AppError } from '../lib/errors.ts'
import { type Call, type ClientSettings, callApi } from './call.ts'
import { createEventParser, type ParsedEvent } from './event-parser.ts'
import { createWatchdog } from './watchdog.ts'

/** Returns when there is nothing (204); throws `unavailable` when it is cut, `timeout` when it falls silent. */
export async function* readEvents(
  settings: ClientSettings,
  path: string,
  { query, headers, signal, onOpen }: Pick<Call, 'query' | 'headers' | 'signal'> & { onOpen?: () => void },
): AsyncGenerator<ParsedEvent, void> {
  const watchdog = createWatchdog(signal)
  try {
    const call = { query, headers: { Accept: 'text/event-stream', ...headers }, signal: watchdog.signal }
    const response = await callApi(settings, path, call)
    onOpen?.()
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
      yield* parse(value)
    }
  } catch (error) {
    throw asCut(error, watchdog.signal)
  } finally {
    watchdog.stop()
  }
}

export function cutOff(): AppError {
  return new AppError('unavailable', 'The connection was cut', { retryable: true })
}

/** What a body throws when its connection dies is no error of ours yet. */
function asCut(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof AppError) return error
  return new AppError('unavailable', 'The connection was cut', { cause: error, retryable: true })
}
