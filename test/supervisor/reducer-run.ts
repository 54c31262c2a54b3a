/** Plays events into the reducer and keeps what came of them. */
import { DEFAULT_POLICY, type Policy } from '../../src/supervisor/policy.ts'
import { reduce } from '../../src/supervisor/reducer.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { type Action, childOf, type Event, initialState, nextDueMs, type State } from '../../src/supervisor/state.ts'

/** Without jitter every delay is its upper end: 250, 500, 1000, … */
export const POLICY: Policy = { ...DEFAULT_POLICY, random: () => 1 }

export const REDIS = spec('redis', { kind: 'program', graceMs: 5_000 })
export const WORKER = spec('worker', { kind: 'node', needs: ['redis'] })

export type Run = ReturnType<typeof createRun>

export function createRun(specs: ChildSpec[], policy = POLICY) {
  let state: State = initialState(specs)
  let all: Action[] = []
  let unread: Action[] = []
  return {
    state: () => state,
    send(nowMs: number, event: Event) {
      for (const child of state.children) Object.freeze(child) // a reducer that changed its input would throw
      const turn = reduce(state, event, { nowMs, policy })
      state = turn.state
      all = [...all.slice(-50), ...turn.actions]
      unread.push(...turn.actions)
    },
    phase: (name: string) => childOf(state, name)?.phase,
    due: () => nextDueMs(state),
    actions: () => all,
    lastFact: () => all.filter((action) => action.do === 'tell').at(-1)?.fact,
    takeActions() {
      const taken = unread
      unread = []
      return taken
    },
    /** What was done since the last question, as sorted words. */
    done() {
      const words = unread.map(wordsOf)
      unread = []
      return words.filter((word) => !word.startsWith('tell child_stopping')).sort()
    },
  }
}

function wordsOf(action: Action): string {
  if (action.do === 'tell') return `tell ${action.fact.type} ${action.fact.name}`
  return 'from' in action ? `${action.do} ${action.from} ${action.to}` : `${action.do} ${action.name}`
}

/** All ready at time 0. */
export function readyRun(specs: ChildSpec[]): Run {
  const run = createRun(specs)
  run.send(0, { type: 'start' })
  for (const { name } of specs) run.send(0, { type: 'ready', name, facts: null })
  return run
}

export function exited(name: string, code: number | null): Event {
  return { type: 'exited', name, code, reason: code === null ? 'was ended by SIGKILL' : `exited with code ${code}` }
}

export function spec(name: string, given: { kind: ChildSpec['kind']; needs?: string[]; graceMs?: number }): ChildSpec {
  return {
    name,
    group: name,
    kind: given.kind,
    command: { file: 'true', args: [], env: {} },
    needs: given.needs ?? [],
    ready: 'message',
    bootDeadlineMs: 15_000,
    stop: { graceMs: given.graceMs ?? 20_000, signal: 'SIGTERM' },
    onParentDeath: 'KILL',
  }
}
