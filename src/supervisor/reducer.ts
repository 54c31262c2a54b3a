/** The supervisor's decisions as a pure function: (state, event, now) → next state and what to do. */
import { backoffMs } from '../lib/backoff.ts'
import { EXIT_DO_NOT_RETRY, type Policy } from './policy.ts'
import { type Action, type ChildState, type Event, hasNeeds, type State } from './state.ts'

/** Decides what `event` means at `nowMs`. A clock that runs backward is taken as one that stood still. */
export function reduce(
  before: State,
  event: Event,
  at: { nowMs: number; policy: Policy },
): { state: State; actions: Action[] } {
  const turn = startTurn(before, at)
  apply(turn, event)
  wakeWaiting(turn)
  return { state: turn.state, actions: turn.actions }
}

/** Fresh copies that the functions below may change, and the actions collected on the way. */
type Turn = { state: State; actions: Action[]; policy: Policy; nowMs: number }

function startTurn(before: State, at: { nowMs: number; policy: Policy }): Turn {
  const offsetMs = Math.max(before.offsetMs, before.nowMs - at.nowMs)
  const nowMs = at.nowMs + offsetMs
  const state = { children: before.children.map((child) => ({ ...child })), nowMs, offsetMs }
  return { state, actions: [], policy: at.policy, nowMs }
}

function apply(turn: Turn, event: Event): void {
  for (const child of affected(turn.state, event)) applyTo(turn, child, event)
}

function affected(state: State, event: Event): readonly ChildState[] {
  if ('name' in event) return state.children.filter((child) => child.name === event.name)
  if ('names' in event) return state.children.filter((child) => event.names.includes(child.name))
  return state.children
}

function applyTo(turn: Turn, child: ChildState, event: Event): void {
  if (event.type === 'start') onStart(turn, child)
  else if (event.type === 'tick') onDue(turn, child)
  else if (event.type === 'ready') onReady(turn, child, event.facts)
  else if (event.type === 'condemned') onCondemned(turn, child, event)
  else if (event.type === 'exited') onExited(turn, child, event)
  else if (event.type === 'restart') onRestart(turn, child, event.budgetMs)
  else if (event.type === 'stop') onStop(turn, child, event.budgetMs)
  else onKill(turn, child)
}

function onStart(turn: Turn, child: ChildState): void {
  if (child.phase !== 'idle') return
  child.wanted = true
  begin(turn, child)
}

/** A node child is spawned at once: its imports take longer than what it waits for. */
function begin(turn: Turn, child: ChildState): void {
  child.phase = 'waiting'
  child.dueMs = null
  if (child.kind === 'node' || hasNeeds(turn.state, child)) spawn(turn, child)
}

function spawn(turn: Turn, child: ChildState): void {
  child.running = true
  child.forced = false
  child.spawnedMs = turn.nowMs
  turn.actions.push({ do: 'spawn', name: child.name })
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
  child.phase = 'ready'
  child.readyMs = turn.nowMs
  child.dueMs = turn.nowMs + turn.policy.stableMs
  const ms = turn.nowMs - child.spawnedMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_ready', name: child.name, ms, facts } })
}

function onCondemned(turn: Turn, child: ChildState, verdict: { reason: string; hung: boolean }): void {
  if (child.phase !== (verdict.hung ? 'ready' : 'starting')) return
  if (verdict.hung)
    turn.actions.push({ do: 'tell', fact: { type: 'child_hung', name: child.name, reason: verdict.reason } })
  condemn(turn, child, verdict.reason)
}

function condemn(turn: Turn, child: ChildState, reason: string): void {
  child.phase = 'killing'
  kill(turn, child, reason)
}

function kill(turn: Turn, child: ChildState, reason: string | null): void {
  child.forced = true
  child.dueMs = turn.nowMs + turn.policy.killAgainMs
  turn.actions.push({ do: 'kill', name: child.name, reason })
}

function onDue(turn: Turn, child: ChildState): void {
  if (child.dueMs === null || child.dueMs > turn.nowMs) return
  child.dueMs = null
  if (child.phase === 'starting') missBoot(turn, child)
  else if (child.phase === 'ready') forgetCrashes(child)
  else if (child.phase === 'stopping' || child.phase === 'killing') kill(turn, child, null)
  else {
    child.halfOpen ||= child.phase === 'parked'
    beginAgain(turn, child)
  }
}

function beginAgain(turn: Turn, child: ChildState): void {
  child.restarts += 1
  begin(turn, child)
}

function missBoot(turn: Turn, child: ChildState): void {
  const deadlineMs = child.bootDeadlineMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_boot_missed', name: child.name, deadlineMs } })
  condemn(turn, child, `was not ready within ${deadlineMs / 1_000} s`)
}

function forgetCrashes(child: ChildState): void {
  child.failures = 0
  child.crashesMs = []
  child.halfOpen = false
}

function onExited(turn: Turn, child: ChildState, exit: { code: number | null; reason: string }): void {
  if (!child.running) return
  child.running = false
  if (child.phase === 'stopping') {
    afterStop(turn, child)
    return
  }
  forgiveDependents(turn, child)
  if (exit.code === EXIT_DO_NOT_RETRY) park(turn, child, { reason: exit.reason, retryMs: null })
  else if (isRecycle(turn, child, exit.code)) plan(turn, child, { afterMs: 0, free: true })
  else if (lacksNeeds(turn, child)) plan(turn, child, { afterMs: turn.policy.backoff.firstMs, free: true })
  else onCrash(turn, child, exit.reason)
}

/** Before its `go` a child has not touched what it needs, so its end is its own. */
function lacksNeeds(turn: Turn, child: ChildState): boolean {
  return child.phase !== 'waiting' && !hasNeeds(turn.state, child)
}

function afterStop(turn: Turn, child: ChildState): void {
  child.dueMs = null
  const ms = turn.nowMs - child.stoppingMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_stopped', name: child.name, ms, forced: child.forced } })
  if (child.wanted) beginAgain(turn, child)
  else settle(child)
}

function isRecycle(turn: Turn, child: ChildState, code: number | null): boolean {
  return code === 0 && child.phase === 'ready' && turn.nowMs - child.readyMs >= turn.policy.recycleAfterMs
}

/** A worker often notices the end of Redis before we do; that crash was not its own. */
function forgiveDependents(turn: Turn, gone: ChildState): void {
  for (const child of turn.state.children) {
    const last = child.crashesMs.at(-1)
    if (last === undefined || !child.needs.includes(gone.name) || turn.nowMs - last > turn.policy.forgiveMs) continue
    child.crashesMs = child.crashesMs.slice(0, -1)
    child.failures -= 1
  }
}

function onCrash(turn: Turn, child: ChildState, reason: string): void {
  const { policy, nowMs } = turn
  child.failures += 1
  child.crashesMs = [...child.crashesMs.filter((ms) => nowMs - ms < policy.crashWindowMs), nowMs]
  const tooMany = child.crashesMs.length >= policy.maxCrashes
  if (child.halfOpen || tooMany) park(turn, child, { reason, retryMs: policy.halfOpenMs })
  else plan(turn, child, { afterMs: backoffMs(child.failures, policy.backoff, policy.random), free: false })
}

function plan(turn: Turn, child: ChildState, restart: { afterMs: number; free: boolean }): void {
  child.phase = 'backoff'
  child.dueMs = turn.nowMs + restart.afterMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_restart_planned', name: child.name, ...restart } })
}

function park(turn: Turn, child: ChildState, why: { reason: string; retryMs: number | null }): void {
  child.phase = 'parked'
  child.dueMs = why.retryMs === null ? null : turn.nowMs + why.retryMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_parked', name: child.name, ...why } })
}

function onStop(turn: Turn, child: ChildState, budgetMs: number): void {
  child.wanted = false
  if (!child.running) settle(child)
  else if (child.phase === 'stopping')
    child.dueMs = Math.min(child.dueMs ?? Infinity, turn.nowMs + Math.max(0, budgetMs))
  else stopRunning(turn, child, budgetMs)
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

function settle(child: ChildState): void {
  child.phase = 'stopped'
  child.dueMs = null
}

function enterStopping(turn: Turn, child: ChildState): void {
  child.phase = 'stopping'
  child.stoppingMs = turn.nowMs
  turn.actions.push({ do: 'tell', fact: { type: 'child_stopping', name: child.name } })
}

function stopMs(turn: Turn, child: ChildState, stop: { phase: string; budgetMs: number }): number {
  const own = child.kind === 'program' ? child.graceMs : stop.phase === 'ready' ? Infinity : turn.policy.unreadyStopMs
  return Math.max(0, Math.min(own, stop.budgetMs))
}

/** Asked for by a person: crashes are forgotten, and a parked child gets its try now. */
function onRestart(turn: Turn, child: ChildState, budgetMs: number): void {
  if (!child.wanted || child.phase === 'stopping') return
  forgetCrashes(child)
  if (child.running) stopRunning(turn, child, budgetMs)
  else beginAgain(turn, child)
}

function onKill(turn: Turn, child: ChildState): void {
  child.wanted = false
  if (!child.running) {
    settle(child)
    return
  }
  if (child.phase !== 'stopping') enterStopping(turn, child)
  kill(turn, child, null)
}
