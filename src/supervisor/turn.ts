/** One turn of the reducer: fresh copies of the state, and the small moves that all decisions are made of. */
import type { Policy } from './policy.ts'
import { type Action, type ChildState, hasNeeds, type State } from './state.ts'

/** Fresh copies that the functions below may change, and the actions collected on the way. */
export type Turn = { state: State; actions: Action[]; policy: Policy; nowMs: number }

export function startTurn(before: State, at: { nowMs: number; policy: Policy }): Turn {
  const offsetMs = Math.max(before.offsetMs, before.nowMs - at.nowMs)
  const nowMs = at.nowMs + offsetMs
  const state = { children: before.children.map((child) => ({ ...child })), nowMs, offsetMs }
  return { state, actions: [], policy: at.policy, nowMs }
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
  turn.actions.push({ do: 'spawn', name: child.name })
}

export function kill(turn: Turn, child: ChildState, reason: string | null): void {
  child.forced = true
  child.dueMs = turn.nowMs + turn.policy.killAgainMs
  turn.actions.push({ do: 'kill', name: child.name, reason })
}

export function settle(child: ChildState): void {
  child.phase = 'stopped'
  child.dueMs = null
}

export function forgetCrashes(child: ChildState): void {
  child.failures = 0
  child.crashesMs = []
  child.halfOpen = false
}
