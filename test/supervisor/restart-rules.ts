/** How often a child may be started again: counted from outside, by what happened to it, not by the reducer's books. */
import assert from 'node:assert/strict'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import { type Action, childOf, type Event, inRole, type State } from '../../src/supervisor/state.ts'
import { POLICY, type Run } from './reducer-run.ts'

type Past = {
  /** Those that count, in order. */
  crashes: { atMs: number; restarted: boolean }[]
  endedMs: number
  isReadySinceSpawn: boolean
  /** Ends before it was ready, one after the other, for which nobody else is to blame. */
  ownEnds: number
  /** What it needs was away at its end, or went so soon after it that this was the reason. */
  isExcused: boolean
  /** Its next start may come at once: a person asked for it, or what it needs is back. */
  isHastened: boolean
}

/** How often the rules had something to say: a test whose cases never occur proves nothing. */
export type Coverage = Record<'forgiven' | 'parked' | 'unparked' | 'repeated', number>

export type RestartRules = {
  /** To be called after each event, with the state before it. */
  check(before: State, event: Event, actions: readonly Action[]): void
}

export function createRestartRules(run: Run, seed: string, coverage: Coverage): RestartRules {
  const pasts = new Map<string, Past>()
  const nowMs = () => run.state().nowMs

  function pastOf(name: string): Past {
    const past = pasts.get(name) ?? noPast()
    pasts.set(name, past)
    return past
  }

  function noteEvent(before: State, event: Event): void {
    if (event.type === 'exited') noteEnd(before, event)
    if (event.type === 'restart' && isHeard(before, event.name)) pasts.set(event.name, noPast())
    if (event.type === 'remove') pasts.delete(event.name)
  }

  function noteEnd(before: State, { name, code }: Extract<Event, { type: 'exited' }>): void {
    const child = childOf(before, name)
    if (!child?.running || child.phase === 'stopping') return
    const past = pastOf(name)
    past.endedMs = nowMs()
    past.isExcused = child.phase !== 'waiting' && child.needs.some((need) => childOf(before, need)?.phase !== 'ready')
    if (!past.isExcused && !past.isReadySinceSpawn && code !== 78) past.ownEnds += 1
    for (const dependent of dependents(before, name)) forgive(pastOf(dependent))
  }

  function forgive(past: Past): void {
    const last = past.crashes.at(-1)
    if (!last || nowMs() - last.atMs > POLICY.forgiveMs) return
    coverage.forgiven += 1
    past.crashes.pop()
    past.ownEnds = Math.max(0, past.ownEnds - 1)
    past.isExcused ||= last.atMs === past.endedMs
  }

  function noteFact(before: State, fact: SupervisorFact): void {
    if (fact.type === 'child_replaced') pasts.set(fact.name, noPast())
    else if (fact.type === 'child_ready') noteReady(before, fact.name)
    else if (fact.type === 'child_restart_planned' && !fact.free) noteCrash(fact.name, true)
    else if (fact.type === 'child_parked' && fact.retryMs !== null) noteCrash(fact.name, false)
  }

  function noteReady(before: State, name: string): void {
    Object.assign(pastOf(name), { isReadySinceSpawn: true, ownEnds: 0 })
    for (const dependent of dependents(before, name)) {
      const child = childOf(before, dependent)
      if (child?.phase !== 'parked' || child.dueMs === null) continue
      coverage.unparked += 1
      pastOf(dependent).isHastened = true
    }
  }

  /** Those for which Redis took the blame do not count. */
  function noteCrash(name: string, restarted: boolean): void {
    const past = pastOf(name)
    past.crashes.push({ atMs: nowMs(), restarted })
    if (!restarted) coverage.parked += 1
    const counted = past.crashes.filter((crash) => crash.restarted && nowMs() - crash.atMs < POLICY.crashWindowMs)
    assert.ok(counted.length < POLICY.maxCrashes, `${seed}: ${name} restarted ${counted.length} times a minute`)
  }

  /** Starts without a `ready` between them keep the distance of the backoff, also those that count as nobody's fault. */
  function noteSpawn(name: string): void {
    const past = pastOf(name)
    if (!past.isHastened && !past.isReadySinceSpawn) {
      coverage.repeated += 1
      const afterMs = nowMs() - past.endedMs
      const leastMs = leastDelayMs(past.isExcused ? 1 : Math.max(1, past.ownEnds))
      assert.ok(afterMs >= leastMs, `${seed}: ${name} is back ${afterMs} ms after its end instead of ${leastMs}`)
    }
    past.isHastened = false
    past.isReadySinceSpawn = false
  }

  return {
    check(before, event, actions) {
      noteEvent(before, event)
      for (const action of actions) {
        if (action.do === 'tell') noteFact(before, action.fact)
        else if (action.do === 'copy') pasts.set(action.to, noPast())
        else if (action.do === 'spawn') noteSpawn(action.name)
      }
    },
  }
}

function noPast(): Past {
  return {
    crashes: [],
    endedMs: Number.NEGATIVE_INFINITY,
    isReadySinceSpawn: false,
    ownEnds: 0,
    isExcused: false,
    isHastened: true,
  }
}

/** With the most favourable jitter. */
function leastDelayMs(failures: number): number {
  const { firstMs, factor, maxMs } = POLICY.backoff
  return Math.round(Math.min(maxMs, firstMs * factor ** (failures - 1)) / 2)
}

function dependents(state: State, need: string): string[] {
  return state.children.filter(({ needs }) => needs.includes(need)).map(({ name }) => name)
}

/** A person's wish for a restart counts only for what should run, and is not being stopped or replaced anyway. */
function isHeard(state: State, name: string): boolean {
  const child = childOf(state, name)
  return child?.wanted === true && child.phase !== 'stopping' && !inRole(state, child.slot, 'next')
}
