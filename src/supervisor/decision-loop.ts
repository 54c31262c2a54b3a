/** Feeds events to the reducer one at a time, carries its actions out, and wakes it when something is due. */
import { twoTurns } from '../lib/until.ts'
import { guarded } from './guard.ts'
import type { Policy } from './policy.ts'
import { reduce } from './reducer.ts'
import type { ChildSpec } from './spec.ts'
import { type Action, type Event, initialState, nextDueMs, type State } from './state.ts'

/** Milliseconds that never run backward. */
export type Clock = { now(): number }

export type DecisionLoop = {
  state(): State
  dispatch(event: Event): void
  /** Resolves after the event that makes `done` true. */
  reached(done: () => boolean): Promise<void>
}

export type DecisionLoopOptions = {
  specs: readonly ChildSpec[]
  policy: Policy
  clock: Clock
  act(action: Action): void
  /** After the last child has stopped for good. */
  onEnd(): void
}

/** The longest time that setTimeout takes. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** A timer so late means that we did not run. */
const LATE_MS = 1_000

export function createDecisionLoop(options: DecisionLoopOptions): DecisionLoop {
  const { policy, clock } = options
  const queue: Event[] = []
  const waiters = new Set<() => void>()
  let state = initialState(options.specs)
  let timer: NodeJS.Timeout | undefined
  /** When the timer should go off; never, while nothing is due. */
  let wakeMs = Infinity

  /** An action may cause another event; it is taken up when the present one is done. */
  function dispatch(event: Event): void {
    if (queue.push(event) > 1) return
    const lateMs = clock.now() - wakeMs
    if (lateMs > LATE_MS) queue.unshift({ type: 'slept', ms: lateMs })
    for (let next = queue[0]; next; queue.shift(), next = queue[0]) {
      const turn = reduce(state, next, { nowMs: clock.now(), policy })
      state = turn.state
      for (const action of turn.actions) guarded(() => options.act(action))
    }
    for (const check of waiters) check()
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    wakeMs = Infinity
    const dueMs = nextDueMs(state)
    if (dueMs !== null) {
      const delayMs = Math.min(Math.ceil(dueMs), MAX_TIMER_MS)
      wakeMs = clock.now() + delayMs
      timer = setTimeout(() => void wake(), delayMs)
    }
    if (state.children.every((child) => child.phase === 'stopped')) options.onEnd()
  }

  /** What children sent while we were stopped (Ctrl+Z, an overloaded machine) is read before anybody is judged. */
  async function wake(): Promise<void> {
    if (clock.now() - wakeMs > LATE_MS) await twoTurns()
    dispatch({ type: 'tick' })
  }

  function reached(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (done() && waiters.delete(check)) resolve()
      }
      waiters.add(check)
      check()
    })
  }

  return { state: () => state, dispatch, reached }
}
