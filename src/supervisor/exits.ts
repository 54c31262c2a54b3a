/** What the end of a process means: a restart, a pause, or nothing because it was wanted. */
import { backoffMs } from '../lib/backoff.ts'
import { EXIT_DO_NOT_RETRY } from './policy.ts'
import { failReplacement, succeed } from './replacement.ts'
import { type ChildState, hasNeeds } from './state.ts'
import { beginAgain, settle, type Turn } from './turn.ts'

type Exit = { code: number | null; reason: string; outside?: boolean }

export function onExited(turn: Turn, child: ChildState, exit: Exit): void {
  if (!child.running) return
  child.running = false
  if (child.phase === 'stopping') {
    afterStop(turn, child)
    return
  }
  forgiveDependents(turn, child)
  if (child.role === 'next') failReplacement(turn, child, exit.reason)
  else if (!succeed(turn, child)) onUnwanted(turn, child, exit)
}

function onUnwanted(turn: Turn, child: ChildState, exit: Exit): void {
  if (exit.code === EXIT_DO_NOT_RETRY && !hadCome(child)) park(turn, child, { reason: exit.reason, retryMs: null })
  else if (isRecycle(turn, child, exit.code)) plan(turn, child, { afterMs: 0, free: true })
  else if (lacksNeeds(turn, child)) plan(turn, child, { afterMs: turn.policy.backoff.firstMs, free: true })
  else if (exit.outside) onKilledFromOutside(turn, child)
  else onCrash(turn, child, exit.reason)
}

/** Not its fault, so it never parks; killed again before it was up, it waits longer each time. */
function onKilledFromOutside(turn: Turn, child: ChildState): void {
  const wasUp = hadCome(child) && turn.nowMs - child.readyMs >= turn.policy.upMs
  if (!wasUp) child.failures += 1
  plan(turn, child, { afterMs: wasUp ? quickMs(turn, child) : pauseMs(turn, child), free: true })
}

/** One that had come up is likely to come up again, so the first time costs hardly a pause. */
function pauseMs(turn: Turn, child: ChildState): number {
  const { backoff, random } = turn.policy
  return child.failures === 1 && hadCome(child) ? quickMs(turn, child) : backoffMs(child.failures, backoff, random)
}

function quickMs({ policy }: Turn, { kind }: ChildState): number {
  return kind === 'node' ? policy.handBackMs : 0
}

function hadCome(child: ChildState): boolean {
  return child.readyMs >= child.spawnedMs
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
  else settle(turn, child)
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
    hastenRestart(turn, child)
  }
}

/** What it waits for was the price of a crash that has just been forgiven. */
function hastenRestart(turn: Turn, child: ChildState): void {
  const { firstMs } = turn.policy.backoff
  const isWaiting = child.phase === 'parked' || child.phase === 'backoff'
  if (isWaiting && child.dueMs !== null && child.dueMs > turn.nowMs + firstMs)
    plan(turn, child, { afterMs: firstMs, free: true })
}

function onCrash(turn: Turn, child: ChildState, reason: string): void {
  const { policy, nowMs } = turn
  child.failures += 1
  child.crashesMs = [...child.crashesMs.filter((ms) => nowMs - ms < policy.crashWindowMs), nowMs]
  const tooMany = child.crashesMs.length >= policy.maxCrashes
  if (child.halfOpen || tooMany) park(turn, child, { reason, retryMs: policy.halfOpenMs })
  else plan(turn, child, { afterMs: pauseMs(turn, child), free: false })
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
