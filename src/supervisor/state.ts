/** The supervisor's state and the questions one can ask of it. */

import type { SupervisorFact } from './facts.ts'
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

export type ChildState = {
  name: string
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
  | { type: 'condemned'; name: string; reason: string; hung: boolean }
  | { type: 'exited'; name: string; code: number | null; reason: string }
  | { type: 'stop'; names: readonly string[]; budgetMs: number }
  | { type: 'restart'; name: string; budgetMs: number }
  | { type: 'kill' }

export type Action =
  | { do: 'spawn' | 'go' | 'drain'; name: string }
  | { do: 'kill'; name: string; reason: string | null }
  | { do: 'tell'; fact: SupervisorFact }

export function initialState(specs: readonly ChildSpec[]): State {
  return { children: specs.map(idleChild), nowMs: 0, offsetMs: 0 }
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

function idleChild(spec: ChildSpec): ChildState {
  return {
    name: spec.name,
    kind: spec.kind,
    needs: spec.needs,
    bootDeadlineMs: spec.bootDeadlineMs,
    graceMs: spec.stop.graceMs,
    phase: 'idle',
    wanted: false,
    running: false,
    dueMs: null,
    spawnedMs: 0,
    readyMs: 0,
    stoppingMs: 0,
    forced: false,
    halfOpen: false,
    failures: 0,
    crashesMs: [],
    restarts: 0,
  }
}
