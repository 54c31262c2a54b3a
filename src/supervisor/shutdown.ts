/** What a stop signal means: the first asks, the second hurries, the third kills. Pure. */

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

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

export const noShutdown: ShutdownState = { presses: 0, lastMs: 0, exitCode: 0 }

export function onStopSignal(
  state: ShutdownState,
  signal: StopSignal,
  nowMs: number,
): { state: ShutdownState; step: ShutdownStep } {
  if (state.presses > 0 && nowMs - state.lastMs < SAME_PRESS_MS) return { state, step: 'ignore' }
  const step = STEPS[Math.min(state.presses, STEPS.length - 1)]!
  const exitCode = step === 'drain' ? 0 : signal === 'SIGINT' ? 130 : 143
  return { state: { presses: state.presses + 1, lastMs: nowMs, exitCode }, step }
}
