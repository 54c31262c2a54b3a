/** What a stop signal means: the first asks, the second hurries, the third kills, as SIGQUIT does at once. Pure. */

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT'

/** Whoever started us has ended, perhaps by the very signal that we have heard as well. */
export const PARENT_END = 'the end of its parent process'

export type StopCause = StopSignal | typeof PARENT_END

export type ShutdownStep = 'drain' | 'hurry' | 'kill' | 'ignore'

export type ShutdownState = {
  presses: number
  /** Of the last one that counted. */
  lastMs: number
  /** Once hurried, the exit code tells the signal (128 + its number), as shells do. */
  exitCode: number
}

/**
 * npm and the terminal each deliver the same Ctrl+C (measured 1 ms apart, also as different signals),
 * so what follows within half a second is the same press.
 */
const SAME_PRESS_MS = 500

const STEPS = ['drain', 'hurry', 'kill'] as const

/** A closed terminal equals SIGTERM. */
const EXIT_CODES: Record<StopSignal, number> = { SIGINT: 130, SIGQUIT: 131, SIGTERM: 143, SIGHUP: 143 }

type Turn = { state: ShutdownState; step: ShutdownStep }

export const noShutdown: ShutdownState = { presses: 0, lastMs: 0, exitCode: 0 }

/** Only signals are somebody's impatience: the parent's end begins a stop, and means nothing to one that goes on. */
export function onStopCause(state: ShutdownState, cause: StopCause, nowMs: number): Turn {
  if (cause !== PARENT_END) return onSignal(state, cause, nowMs)
  return state.presses > 0
    ? { state, step: 'ignore' }
    : { state: { ...state, presses: 1, lastMs: nowMs }, step: 'drain' }
}

function onSignal(state: ShutdownState, signal: StopSignal, nowMs: number): Turn {
  const isRepeat = state.presses > 0 && nowMs - state.lastMs < SAME_PRESS_MS
  const isFinal = signal === 'SIGQUIT' && state.presses < STEPS.length // no slip of the hand that has just pressed Ctrl+C
  if (isRepeat && !isFinal) return { state, step: 'ignore' }
  const presses = signal === 'SIGQUIT' ? STEPS.length : state.presses + 1
  const step = STEPS[Math.min(presses, STEPS.length) - 1]!
  const exitCode = step === 'drain' ? 0 : EXIT_CODES[signal]
  return { state: { presses, lastMs: nowMs, exitCode }, step }
}
