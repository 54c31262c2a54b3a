/** What a stop signal means: the first asks, the second hurries, the third kills, as SIGQUIT does at once. Pure. */

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT'

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

export const noShutdown: ShutdownState = { presses: 0, lastMs: 0, exitCode: 0 }

export function onStopSignal(
  state: ShutdownState,
  signal: StopSignal,
  nowMs: number,
): { state: ShutdownState; step: ShutdownStep } {
  const isRepeat = state.presses > 0 && nowMs - state.lastMs < SAME_PRESS_MS
  const isFinal = signal === 'SIGQUIT' && state.presses < STEPS.length // no slip of the hand that has just pressed Ctrl+C
  if (isRepeat && !isFinal) return { state, step: 'ignore' }
  const presses = signal === 'SIGQUIT' ? STEPS.length : state.presses + 1
  const step = STEPS[Math.min(presses, STEPS.length) - 1]!
  const exitCode = step === 'drain' ? 0 : EXIT_CODES[signal]
  return { state: { presses, lastMs: nowMs, exitCode }, step }
}
