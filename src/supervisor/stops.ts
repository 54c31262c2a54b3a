/** How children are ended on purpose: drained with a deadline, restarted, or killed at once. */
import { type ChildState, inRole, type Phase } from './state.ts'
import { beginAgain, forgetCrashes, kill, settle, type Turn } from './turn.ts'

export function onStop(turn: Turn, child: ChildState, budgetMs: number): void {
  child.wanted = false
  if (!child.running) settle(turn, child)
  else if (child.phase === 'stopping') hasten(turn, child, budgetMs)
  else stopRunning(turn, child, budgetMs)
}

/** It drains already, for a replacement that is in no hurry: with an earlier deadline comes a new order. */
function hasten(turn: Turn, child: ChildState, budgetMs: number): void {
  const dueMs = turn.nowMs + Math.max(0, budgetMs)
  if (child.dueMs !== null && child.dueMs <= dueMs) return
  child.dueMs = dueMs
  if (child.kind === 'node' && !child.forced) turn.actions.push({ do: 'drain', name: child.name })
}

/** Asked for by a person: crashes are forgotten, and a parked child gets its try now. */
export function onRestart(turn: Turn, child: ChildState, budgetMs: number): void {
  if (!child.wanted || child.phase === 'stopping' || inRole(turn.state, child.slot, 'next')) return
  forgetCrashes(child)
  if (child.running) stopRunning(turn, child, budgetMs)
  else beginAgain(turn, child)
}

/** Stopped like any other, and then unknown; a successor on its way goes with it. */
export function onRemove(turn: Turn, child: ChildState, budgetMs: number): void {
  const next = inRole(turn.state, child.slot, 'next')
  for (const one of next ? [next, child] : [child]) {
    one.leaving = true
    if (isDown(one)) tellStopped(turn, one)
    onStop(turn, one, budgetMs)
  }
}

/** It would have come back; nothing else will tell that it does not. */
function isDown({ running, phase }: ChildState): boolean {
  return !running && phase !== 'idle' && phase !== 'stopped'
}

function tellStopped(turn: Turn, { name }: ChildState): void {
  turn.actions.push({ do: 'tell', fact: { type: 'child_stopped', name, ms: 0, forced: false } })
}

export function onKill(turn: Turn, child: ChildState): void {
  child.wanted = false
  if (!child.running) {
    settle(turn, child)
    return
  }
  if (child.phase !== 'stopping') enterStopping(turn, child)
  kill(turn, child, null)
}

function stopRunning(turn: Turn, child: ChildState, budgetMs: number): void {
  const phase = child.phase
  enterStopping(turn, child)
  if (phase === 'waiting' || phase === 'killing') {
    kill(turn, child, null) // it has no work to finish
    return
  }
  child.dueMs = turn.nowMs + stopMs(turn, child, { phase, budgetMs })
  turn.actions.push({ do: 'drain', name: child.name })
}

function enterStopping(turn: Turn, child: ChildState): void {
  child.phase = 'stopping'
  child.stoppingMs = turn.nowMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_stopping', name: child.name } })
}

function stopMs(turn: Turn, child: ChildState, stop: { phase: Phase; budgetMs: number }): number {
  const own = child.kind === 'program' ? child.graceMs : stop.phase === 'ready' ? Infinity : turn.policy.unreadyStopMs
  return Math.max(0, Math.min(own, stop.budgetMs))
}
