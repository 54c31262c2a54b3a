/** Signals that end the program: handlers only pass them on, and whoever has begun last decides. */
import { AppError } from '../lib/errors.ts'
import { noShutdown, onStopCause, PARENT_END, type ShutdownStep, type StopCause } from '../supervisor/shutdown.ts'

/** A cause that counts, and what it means. */
export type Press = {
  cause: StopCause
  step: Exclude<ShutdownStep, 'ignore'>
  /** What the program ends with, unless another one comes. */
  exitCode: number
}

export type Signals = {
  /** Fires for the first signal when it comes before anybody has asked for signals: it ends the boot. */
  early: AbortSignal
  /** Resolves with the exit code when another one follows before the boot has ended: then nobody waits for it. */
  forced: Promise<number>
  onStop(act: (press: Press) => void): void
  /** npm and its shell can be ended without passing the signal on: their end means stop. */
  follow(parentPid: number): void
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
const LOOK_EVERY_MS = 500

/** As early as can be: to PID 1 the kernel delivers only what is listened for. */
export function listenForSignals(): Signals {
  const early = new AbortController()
  const { promise: forced, resolve: force } = Promise.withResolvers<number>()
  let state = noShutdown
  let act = ({ cause, step, exitCode }: Press) => {
    early.abort(new AppError('interrupted', `${cause} came while it was starting`))
    if (step !== 'drain') force(exitCode)
  }

  function hear(cause: StopCause): void {
    const turn = onStopCause(state, cause, performance.now())
    state = turn.state
    if (turn.step !== 'ignore') act({ cause, step: turn.step, exitCode: state.exitCode })
  }

  for (const signal of STOP_SIGNALS) process.on(signal, () => hear(signal))
  return {
    early: early.signal,
    forced,
    onStop(callback) {
      act = callback
    },
    follow: (parentPid) => watchParent(parentPid, () => hear(PARENT_END)),
  }
}

function watchParent(pid: number, onGone: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === pid) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS)
  timer.unref()
}
