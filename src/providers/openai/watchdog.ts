/** Ends a call that has fallen silent: neither the client's timeout nor fetch notices a stalled stream. */
import { AppError } from '../../lib/errors.ts'
import type { CallLimits } from './call.ts'

export type Watchdog = Disposable & {
  /** Fires with the caller's signal, or after too long a silence. */
  readonly signal: AbortSignal
  /** Something came; silence is counted anew, with the shorter limit. */
  alive(): void
  /** Throws `timeout` when it was this watchdog that ended the call. */
  throwIfLate(): void
}

export function watchCall(signal: AbortSignal, limits: CallLimits): Watchdog {
  const late = new AbortController()
  const bark = (ms: number) => setTimeout(() => late.abort(), ms)
  let limitMs = limits.firstByteMs
  let timer = bark(limitMs)
  return {
    signal: AbortSignal.any([signal, late.signal]),
    alive() {
      if (late.signal.aborted) return
      clearTimeout(timer)
      limitMs = limits.idleMs
      timer = bark(limitMs)
    },
    throwIfLate() {
      if (late.signal.aborted) throw new AppError('timeout', `nothing came for ${limitMs / 1_000} s`)
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
