/** The supervisor's state and the questions one can ask of it. */

import type { StackTop, SupervisorFact } from './facts.ts'
import type { ChildKind, ChildSpec } from './spec.ts'

/**
 * waiting: for what it needs (a node child already has its process then, busy with its imports).
 * killing: killed for a reason, its end is awaited. parked: given up, or until a half-open try.
 */
export type Phase =
  | 'idle'
  | 'waiting'
  | 'starting'
  | 'ready'
  | 'killing'
  | 'stopping'
  | 'backoff'
  | 'parked'
  | 'stopped'

/** While a process is replaced there are two for one slot: `next` is on its way in, `old` on its way out. */
export type Role = 'current' | 'next' | 'old'

export type ChildState = {
  /** Unique; that of a `current` child is its slot's. */
  name: string
  slot: string
  role: Role
  kind: ChildKind
  needs: readonly string[]
  bootDeadlineMs: number
  graceMs: number
  phase: Phase
  wanted: boolean
  /** It has a process, or the group of one that is not empty yet. */
  running: boolean
  /** When the present phase has to be looked at again. */
  dueMs: number | null
  spawnedMs: number
  readyMs: number
  stoppingMs: number
  forced: boolean
  halfOpen: boolean
  /** Dropped from the state as soon as it has stopped. */
  leaving: boolean
  /** How long the process that it replaces may take to end; of a `next` child only. */
  handoverMs: number
  /** Consecutive, for the backoff; `crashesMs` is the sliding window. */
  failures: number
  crashesMs: readonly number[]
  restarts: number
}

/** `offsetMs` is added to the clock, so that time here never runs backward. */
export type State = { children: readonly ChildState[]; nowMs: number; offsetMs: number }

export type Event =
  | { type: 'start' }
  | { type: 'tick' }
  | { type: 'ready'; name: string; facts: unknown }
  /** A verdict from outside: its own readiness check failed, or it hangs. */
  | { type: 'condemned'; name: string; reason: string; hung: boolean; where?: StackTop | null }
  /** `outside`: ended by a signal that was not ours and is no fault of its own. */
  | { type: 'exited'; name: string; code: number | null; reason: string; outside?: boolean }
  | { type: 'stop'; names: readonly string[]; budgetMs: number }
  | { type: 'add'; spec: ChildSpec }
  | { type: 'remove'; name: string; budgetMs: number }
  /** A successor is started beside the running one, which is stopped once the successor is ready. */
  | { type: 'replace'; name: string; why: string; budgetMs: number }
  /** We did not run for so long: nobody could meet a deadline of ours in that time. */
  | { type: 'slept'; ms: number }
  | { type: 'restart'; name: string; budgetMs: number }
  | { type: 'kill' }

export type Action =
  | { do: 'spawn' | 'go' | 'drain'; name: string }
  | { do: 'kill'; name: string; reason: string | null }
  /** A new child `to` is made after the pattern of `from`. */
  | { do: 'copy'; from: string; to: string }
  /** What was called `from` is called `to` from now on; what was called `to` is forgotten. */
  | { do: 'rename'; from: string; to: string }
  | { do: 'forget'; name: string }
  | { do: 'tell'; fact: SupervisorFact }

export function initialState(specs: readonly ChildSpec[]): State {
  return { children: specs.map((spec) => idleChild(spec)), nowMs: 0, offsetMs: 0 }
}

/** Milliseconds until a `tick` is due, or null. */
export function nextDueMs(state: State): number | null {
  const due = state.children.map((child) => child.dueMs).filter((ms) => ms !== null)
  return due.length === 0 ? null : Math.max(0, Math.min(...due) - state.nowMs)
}

export function childOf(state: State, name: string): ChildState | undefined {
  return state.children.find((child) => child.name === name)
}

export function hasNeeds(state: State, child: ChildState): boolean {
  return child.needs.every((need) => childOf(state, need)?.phase === 'ready')
}

/** The process of a slot in a role, if there is one. */
export function inRole(state: State, slot: string, role: Role): ChildState | undefined {
  return state.children.find((child) => child.slot === slot && child.role === role)
}

/** One replacement of a slot at a time, and only of a process that works. */
export function canReplace(state: State, name: string): boolean {
  const child = inRole(state, name, 'current')
  const others = state.children.filter(({ slot }) => slot === name).length - 1
  return child?.wanted === true && child.phase === 'ready' && others === 0
}

export function idleChild(spec: ChildSpec): ChildState {
  const { name, kind, needs, bootDeadlineMs, stop } = spec
  return idleLike({ slot: name, kind, needs, bootDeadlineMs, graceMs: stop.graceMs })
}

/** A child of the same kind that has no past. */
export function idleLike(
  child: Pick<ChildState, 'slot' | 'kind' | 'needs' | 'bootDeadlineMs' | 'graceMs'>,
): ChildState {
  const { slot, kind, needs, bootDeadlineMs, graceMs } = child
  return {
    name: slot,
    slot,
    role: 'current',
    kind,
    needs,
    bootDeadlineMs,
    graceMs,
    phase: 'idle',
    wanted: false,
    running: false,
    dueMs: null,
    spawnedMs: 0,
    readyMs: 0,
    stoppingMs: 0,
    forced: false,
    halfOpen: false,
    leaving: false,
    handoverMs: 0,
    failures: 0,
    crashesMs: [],
    restarts: 0,
  }
}
