/** Thousands of random orders of events against the rules that no order may break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action, Event } from '../../src/supervisor/state.ts'
import { createRun, exited, POLICY, REDIS, type Run, spec, WORKER } from './reducer-run.ts'

test('in 3,000 random orders of events no rule is ever broken', () => {
  for (let seed = 1; seed <= 3_000; seed++) playRandomly(seed)
})

/** One world of real consequences (a kill ends a process, …) with events in an order that the seed decides. */
function playRandomly(seed: number): void {
  const random = mulberry32(seed)
  const specs = [REDIS, WORKER, spec('scheduler', { kind: 'node', needs: ['redis'] }), spec('lone', { kind: 'node' })]
  const run = createRun(specs, { ...POLICY, random })
  const world = createWorld(run)
  let now = random() * 1_000
  world.send(now, { type: 'start' })
  for (let step = 0; step < 60; step++) {
    now += random() < 0.05 ? -random() * 1e6 : random() < 0.3 ? random() * 40_000 : random() * 300
    world.send(Math.max(0, now), world.randomEvent(random))
  }
  world.send(now, { type: 'stop', names: specs.map(({ name }) => name), budgetMs: 1_000 })
  world.finish(now)
}

type World = {
  send(now: number, event: Event): void
  randomEvent(random: () => number): Event
  finish(now: number): void
}

function createWorld(run: Run): World {
  const alive = new Set<string>()
  const forbidden = new Set<string>()
  const names = run.state().children.map(({ name }) => name)
  const counted: Record<string, number[]> = {}

  function send(now: number, event: Event): void {
    if (event.type === 'exited') alive.delete(event.name)
    if (event.type === 'stop') for (const name of event.names) forbidden.add(name)
    if (event.type === 'restart') counted[event.name] = [] // a person asked, so its past is forgotten
    if (event.type === 'kill') for (const name of names) forbidden.add(name)
    run.send(now, event)
    for (const action of run.takeActions()) check(action)
    for (const child of run.state().children) {
      assert.equal(child.running, alive.has(child.name), 'the state knows which processes there are')
      assert.ok(child.failures >= 0)
      if (forbidden.has(child.name)) assert.ok(['stopped', 'stopping'].includes(child.phase))
    }
  }

  function check(action: Action): void {
    if (action.do === 'spawn') {
      assert.ok(!alive.has(action.name), `two of ${action.name}`)
      assert.ok(!forbidden.has(action.name), `${action.name} started after its stop`)
      alive.add(action.name)
    } else if (action.do !== 'tell') assert.ok(alive.has(action.name), `${action.do} to no process`)
    else if (action.fact.type === 'child_restart_planned' && !action.fact.free) count(action.fact.name)
  }

  /** Restarts that count stay below the limit in every window. */
  function count(name: string): void {
    const at = run.state().nowMs
    const window = [...(counted[name] ?? []), at].filter((ms) => at - ms < POLICY.crashWindowMs)
    counted[name] = window
    const forgiven = name === 'worker' || name === 'scheduler' ? Infinity : 0 // crashes that Redis took the blame for
    assert.ok(window.length <= POLICY.maxCrashes - 1 + forgiven, `${name} restarted ${window.length} times in a minute`)
  }

  return {
    send,
    randomEvent(random) {
      const name = names[Math.floor(random() * names.length)]!
      const dice = random()
      if (dice < 0.3 && alive.has(name)) return exited(name, [0, 1, null, 78][Math.floor(random() * 4)]!)
      if (dice < 0.6) return { type: 'ready', name, facts: null }
      if (dice < 0.65) return { type: 'condemned', name, reason: 'hangs', hung: random() < 0.5 }
      if (dice < 0.68) return { type: 'restart', name, budgetMs: random() * 5_000 }
      if (dice < 0.7) return { type: 'stop', names: [name], budgetMs: random() * 5_000 }
      if (dice < 0.702) return { type: 'kill' }
      return { type: 'tick' }
    },
    finish(now) {
      for (const name of alive) run.send(now, exited(name, 0))
      assert.ok(run.state().children.every(({ phase }) => phase === 'stopped'))
      assert.equal(run.due(), null)
    },
  }
}

/** A small seeded generator (public domain, T. Ettinger), so that a failing order can be played again. */
function mulberry32(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
