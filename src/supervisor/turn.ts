/** One turn of the reducer: fresh copies of the state, and the small moves that all decisions are made of. */
import type { Policy } from './policy.ts'
import { type Action, type ChildState, hasNeeds, type State } from './state.ts'

/**
 * Fresh copies that the functions below may change, and the actions collected on the way. Those of `structure`
 * (who is called how) are carried out before all others, which already use the new names.
 */
export type Turn = {
  state: { -readonly [K in keyof State]: State[K] }
  structure: Action[]
  actions: Action[]
  policy: Policy
  nowMs: number
}

export function startTurn(before: State, at: { nowMs: number; policy: Policy }): Turn {
  const offsetMs = Math.max(before.offsetMs, before.nowMs - at.nowMs)
  const nowMs = at.nowMs + offsetMs
  const state = { children: before.children.map((child) => ({ ...child })), nowMs, offsetMs }
  return { state, structure: [], actions: [], policy: at.policy, nowMs }
}

/** A node child is spawned at once: its imports take longer than what it waits for. */
export function begin(turn: Turn, child: ChildState): void {
  child.phase = 'waiting'
  child.dueMs = null
  if (child.kind === 'node' || hasNeeds(turn.state, child)) spawn(turn, child)
}

export function beginAgain(turn: Turn, child: ChildState): void {
  child.restarts += 1
  begin(turn, child)
}

export function spawn(turn: Turn, child: ChildState): void {
  child.running = true
  child.forced = false
  child.spawnedMs = turn.nowMs
  child.readyMs = Number.NEGATIVE_INFINITY
  turn.actions.push({ do: 'spawn', name: child.name })
}

export function kill(turn: Turn, child: ChildState, reason: string | null): void {
  child.forced = true
  child.dueMs = turn.nowMs + turn.policy.killAgainMs
  turn.actions.push({ do: 'kill', name: child.name, reason })
}

/** The end of a child that is not wanted any more; one that was taken out, or has a successor, is forgotten. */
export function settle(turn: Turn, child: ChildState): void {
  child.phase = 'stopped'
  child.dueMs = null
  if (!child.leaving && child.role === 'current') return
  drop(turn, child)
  turn.actions.push({ do: 'forget', name: child.name })
}

export function drop(turn: Turn, gone: ChildState): void {
  turn.state.children = turn.state.children.filter((child) => child !== gone)
}

export function forgetCrashes(child: ChildState): void {
  child.failures = 0
  child.crashesMs = []
  child.halfOpen = false
}
