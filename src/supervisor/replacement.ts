/** Two processes for one slot: a successor comes up beside the running one, and takes its name when it is ready. */
import { type ChildState, canReplace, idleLike, inRole } from './state.ts'
import { onStop } from './stops.ts'
import { begin, drop, type Turn } from './turn.ts'

export function onReplace(turn: Turn, child: ChildState, how: { why: string; budgetMs: number }): void {
  if (!canReplace(turn.state, child.name)) return
  const name = `${child.slot}.next`
  const restarts = child.restarts + 1
  const next: ChildState = { ...idleLike(child), name, role: 'next', wanted: true, restarts, handoverMs: how.budgetMs }
  turn.structure.push({ do: 'copy', from: child.name, to: name })
  turn.actions.push({ do: 'tell', fact: { type: 'child_replacing', name: child.slot, why: how.why } })
  turn.state.children = [...turn.state.children, next]
  begin(turn, next)
}

/** The successor is the slot's process from now on; the one before finishes what it has and ends. */
export function takeOver(turn: Turn, next: ChildState): void {
  const old = inRole(turn.state, next.slot, 'current')
  if (old?.running) retire(turn, old)
  else if (old) drop(turn, old)
  turn.structure.push({ do: 'rename', from: next.name, to: next.slot })
  next.name = next.slot
  next.role = 'current'
  turn.actions.push({ do: 'tell', fact: { type: 'child_replaced', name: next.slot } })
  if (old?.running) onStop(turn, old, next.handoverMs)
}

/** The process that was to be replaced has ended by itself: the successor on its way takes its place. */
export function succeed(turn: Turn, gone: ChildState): boolean {
  const next = inRole(turn.state, gone.slot, 'next')
  if (!next?.wanted || gone.role !== 'current') return false
  takeOver(turn, next)
  return true
}

/** The successor did not come up; the process that it was to replace goes on. */
export function failReplacement(turn: Turn, next: ChildState, reason: string): void {
  turn.actions.push({ do: 'tell', fact: { type: 'child_replace_failed', name: next.slot, reason } })
  drop(turn, next)
  turn.actions.push({ do: 'forget', name: next.name })
}

function retire(turn: Turn, old: ChildState): void {
  const name = `${old.slot}.old`
  turn.structure.push({ do: 'rename', from: old.name, to: name })
  old.name = name
  old.role = 'old'
}
