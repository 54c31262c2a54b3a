/** Signals that end the program: handlers only pass them on, and whoever has begun last decides. */
import type { StopSignal } from '../supervisor/shutdown.ts'

export type Signals = {
  /** Fires for a signal that comes before anybody has asked for signals: it ends the boot. */
  early: AbortSignal
  onStop(act: (signal: StopSignal) => void): void
  /** npm and its shell can be ended without passing the signal on: their end means stop, once. */
  followParent(): void
}

const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']
const LOOK_EVERY_MS = 500

/** As early as can be: to PID 1 the kernel delivers only what is listened for. */
export function listenForSignals(): Signals {
  const early = new AbortController()
  let act = (_signal: StopSignal) => early.abort()
  for (const signal of STOP_SIGNALS) process.on(signal, () => act(signal))
  return {
    early: early.signal,
    onStop(callback) {
      act = callback
    },
    followParent: () => watchParent(() => act('SIGTERM')),
  }
}

function watchParent(onGone: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS)
  timer.unref()
}
