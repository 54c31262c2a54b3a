/** Ends an attempt on which nothing arrives: a connection can die without a word. */
import { AppError } from '../lib/errors.ts'

export type Watchdog = {
  /** Aborts when nothing was heard for too long, when the outer signal does, and at `stop`. */
  signal: AbortSignal
  heard(): void
  stop(): void
}

/** Servers say something every 15 s (events) or answer our ping (sockets). */
export const SILENCE_MS = 40_000

export function createWatchdog(outer: AbortSignal | undefined, silenceMs = SILENCE_MS): Watchdog {
  const own = new AbortController()
  const bite = () => own.abort(new AppError('timeout', `Nothing was heard for ${silenceMs} ms`, { retryable: true }))
  let timer = setTimeout(bite, silenceMs)
  return {
    signal: outer ? AbortSignal.any([outer, own.signal]) : own.signal,
    heard() {
      clearTimeout(timer)
      timer = setTimeout(bite, silenceMs)
    },
    stop() {
      clearTimeout(timer)
      own.abort()
    },
  }
}
