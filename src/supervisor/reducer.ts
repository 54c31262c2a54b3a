/** The supervisor's decisions as a pure function: (state, event, now) → next state and what to do. */
import { onExited } from './exits.ts'
import type { Policy } from './policy.ts'
import { onReplace, takeOver } from './replacement.ts'
import type { ChildSpec } from './spec.ts'
import { type Action, type ChildState, childOf, type Event, hasNeeds, idleChild, type State } from './state.ts'
import { onKill, onRemove, onRestart, onStop } from './stops.ts'
import { begin, beginAgain, forgetCrashes, kill, spawn, startTurn, type Turn } from './turn.ts'

/** Decides what `event` means at `nowMs`. A clock that runs backward is taken as one that stood still. */
export function reduce(
  before: State,
  event: Event,
  at: { nowMs: number; policy: Policy },
): { state: State; actions: Action[] } {
  const turn = startTurn(before, at)
  apply(turn, event)
  wakeWaiting(turn)
  return { state: turn.state, actions: [...turn.structure, ...turn.actions] }
}

function apply(turn: Turn, event: Event): void {
  if (event.type === 'add') onAdd(turn, event.spec)
  else for (const child of affected(turn.state, event)) applyTo(turn, child, event)
}

function affected(state: State, event: Event): readonly ChildState[] {
  if ('name' in event) return state.children.filter((child) => child.name === event.name)
  if ('names' in event) return state.children.filter((child) => event.names.includes(child.slot))
  return state.children
}

function applyTo(turn: Turn, child: ChildState, event: Exclude<Event, { type: 'add' }>): void {
  if (event.type === 'start') onStart(turn, child)
  else if (event.type === 'tick') onDue(turn, child)
  else if (event.type === 'ready') onReady(turn, child, event.facts)
  else if (event.type === 'condemned') onCondemned(turn, child, event)
  else if (event.type === 'exited') onExited(turn, child, event)
  else if (event.type === 'restart') onRestart(turn, child, event.budgetMs)
  else if (event.type === 'stop') onStop(turn, child, event.budgetMs)
  else if (event.type === 'remove') onRemove(turn, child, event.budgetMs)
  else if (event.type === 'replace') onReplace(turn, child, event)
  else if (event.type === 'slept') postpone(child, event.ms)
  else onKill(turn, child)
}

function onStart(turn: Turn, child: ChildState): void {
  if (child.phase !== 'idle') return
  child.wanted = true
  begin(turn, child)
}

function onAdd(turn: Turn, spec: ChildSpec): void {
  if (childOf(turn.state, spec.name)) return
  const child = idleChild(spec)
  turn.state.children = [...turn.state.children, child]
  onStart(turn, child)
}

function postpone(child: ChildState, ms: number): void {
  if (child.dueMs !== null) child.dueMs += ms
}

function wakeWaiting(turn: Turn): void {
  for (const child of turn.state.children) {
    if (child.phase !== 'waiting' || !hasNeeds(turn.state, child)) continue
    if (!child.running) spawn(turn, child)
    child.phase = 'starting'
    child.dueMs = turn.nowMs + child.bootDeadlineMs
    if (child.kind === 'node') turn.actions.push({ do: 'go', name: child.name })
  }
}

function onReady(turn: Turn, child: ChildState, facts: unknown): void {
  if (child.phase !== 'starting') return
  if (child.role === 'next') takeOver(turn, child)
  child.phase = 'ready'
  child.readyMs = turn.nowMs
  child.dueMs = turn.nowMs + turn.policy.stableMs
  const ms = turn.nowMs - child.spawnedMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_ready', name: child.name, ms, facts } })
  for (const dependent of turn.state.children) if (dependent.needs.includes(child.name)) unpark(turn, dependent)
}

/** What it needs is back, which may be all that it lacked: it gets its try now, unless it said that none can help. */
function unpark(turn: Turn, child: ChildState): void {
  if (child.phase === 'parked' && child.dueMs !== null && hasNeeds(turn.state, child)) tryAgain(turn, child)
}

type Verdict = Omit<Extract<Event, { type: 'condemned' }>, 'type' | 'name'>

function onCondemned(turn: Turn, child: ChildState, verdict: Verdict): void {
  const { phase } = child
  const { reason, where = null } = verdict
  if (verdict.hung ? phase !== 'ready' && phase !== 'stopping' : phase !== 'starting') return
  if (verdict.hung) turn.actions.push({ do: 'tell', fact: { type: 'child_hung', name: child.name, reason, where } })
  if (phase === 'stopping') kill(turn, child, reason)
  else condemn(turn, child, reason)
}

function condemn(turn: Turn, child: ChildState, reason: string): void {
  child.phase = 'killing'
  kill(turn, child, reason)
}

function onDue(turn: Turn, child: ChildState): void {
  if (child.dueMs === null || child.dueMs > turn.nowMs) return
  child.dueMs = null
  if (child.phase === 'starting') missBoot(turn, child)
  else if (child.phase === 'ready') forgetCrashes(child)
  else if (child.phase === 'stopping' || child.phase === 'killing') kill(turn, child, null)
  else tryAgain(turn, child)
}

function tryAgain(turn: Turn, child: ChildState): void {
  child.halfOpen ||= child.phase === 'parked'
  beginAgain(turn, child)
}

function missBoot(turn: Turn, child: ChildState): void {
  const deadlineMs = child.bootDeadlineMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_boot_missed', name: child.name, deadlineMs } })
  condemn(turn, child, `was not ready within ${deadlineMs / 1_000} s`)
}
