/** Signals to the supervisor: handlers only pass them on, and whoever has begun last decides. */
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
  /** Fires for the first signal when it comes before anybody has asked for signals: it cuts the boot short. */
  early: AbortSignal
  /** Resolves with the exit code when another one follows before the boot has ended: then nobody waits for it. */
  forced: Promise<number>
  /** Whoever asks after the first signal is told of it at once. */
  onStop(act: (press: Press) => void): void
  /** SIGUSR2. */
  onStatus(act: () => void): void
  /** npm and its shell can be ended without passing the signal on: their end means stop. */
  follow(parentPid: number): void
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
const LOOK_EVERY_MS = 500

/** As early as can be: to PID 1 the kernel delivers only what is listened for. */
export function listenForSignals(): Signals {
  const cut = new AbortController()
  const { promise: forced, resolve: force } = Promise.withResolvers<number>()
  let state = noShutdown
  let early: Press | undefined
  let tellStatus = () => {} // before anything runs there is nothing to tell
  let act = (press: Press) => {
    early ??= press
    cut.abort(new AppError('interrupted', `${press.cause} came while it was starting`))
    if (press.step !== 'drain') force(press.exitCode)
  }

  function hear(cause: StopCause): void {
    const turn = onStopCause(state, cause, performance.now())
    state = turn.state
    if (turn.step !== 'ignore') act({ cause, step: turn.step, exitCode: state.exitCode })
  }

  for (const signal of STOP_SIGNALS) process.on(signal, () => hear(signal))
  process.on('SIGUSR2', () => tellStatus())
  for (const signal of ignoredSignals()) process.on(signal, () => {})
  return {
    early: cut.signal,
    forced,
    onStop(callback) {
      act = callback
      if (early) callback(early)
    },
    onStatus(callback) {
      tellStatus = callback
    },
    follow: (parentPid) => watchParent(parentPid, () => hear(PARENT_END)),
  }
}

/**
 * Gunicorn takes them for one worker more or less; here they would only suspend us. A terminal sends them to programs
 * in the background: TTIN to those that read, as we never do; TTOU to those that write, where `stty tostop` is set.
 * There a handler would be called without end, as the kernel tries the write again and again (measured): then TTOU
 * keeps its own meaning.
 */
function ignoredSignals(): NodeJS.Signals[] {
  return process.stdout.isTTY || process.stderr.isTTY ? ['SIGTTIN'] : ['SIGTTIN', 'SIGTTOU']
}

function watchParent(pid: number, onGone: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid === pid) return
    clearInterval(timer)
    onGone()
  }, LOOK_EVERY_MS)
  timer.unref()
}
