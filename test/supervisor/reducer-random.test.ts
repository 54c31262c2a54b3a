/** Thousands of random orders of events against the rules that no order may break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChildState, childOf, type Event } from '../../src/supervisor/state.ts'
import { createRandom } from '../helpers/random.ts'
import { createWorld, type World } from './random-world.ts'
import { createRun, POLICY, REDIS, type Run, spec, WORKER } from './reducer-run.ts'
import type { Coverage } from './restart-rules.ts'

const ORDERS = 10_000
const STEPS = 60

test(`in ${ORDERS} random orders of events no rule is ever broken`, (t) => {
  const coverage = { forgiven: 0, parked: 0, unparked: 0, repeated: 0, healed: 0 }
  for (let seed = 1; seed <= ORDERS; seed++) playRandomly(seed, coverage)
  t.diagnostic(JSON.stringify(coverage))
  for (const [what, times] of Object.entries(coverage)) assert.ok(times > 100, `${what} occurred ${times} times`)
})

const SPECS = [REDIS, WORKER, spec('scheduler', { kind: 'node', needs: ['redis'] }), spec('lone', { kind: 'node' })]

/** Added while the others run. */
const LATE = spec('late', { kind: 'node', needs: ['redis'] })

type Play = {
  random: () => number
  run: Run
  world: World
  seed: string
  now: number
  sleptMs: number
  /** Crashes more often than others, as soon as it has begun. */
  victim: string | null
}

/** Each third world is healed before its end; one with long pauses is like a week, one without like a bad minute. */
function playRandomly(number: number, coverage: Coverage & { healed: number }): void {
  const seed = `seed ${number}`
  const random = createRandom(String(number))
  const run = createRun(SPECS, { ...POLICY, random })
  const world = createWorld(run, seed, coverage)
  const victim = SPECS[Math.floor(random() * 2 * SPECS.length)]?.name ?? null
  const play: Play = { random, run, seed, world, now: random() * 1_000, sleptMs: 0, victim }
  const pauses = random() * 0.4
  send(play, { type: 'start' })
  for (let step = 0; step < STEPS; step++) {
    play.now += random() < 0.05 ? -random() * 1e6 : random() < pauses ? random() * 40_000 : random() * 300
    play.now = Math.max(0, play.now)
    send(play, crash(play) ?? randomEvent(play))
  }
  if (number % 3 === 0) coverage.healed += heal(play)
  finish(play)
}

function send(play: Play, event: Event): void {
  if (event.type === 'slept') play.sleptMs += event.ms
  play.world.send(play.now, event)
}

/** Before its time the tick changes nothing. */
function crash({ random, victim, world }: Play): Event | null {
  if (victim === null || random() < 0.4) return null
  return world.alive.has(victim) ? { type: 'exited', name: victim, code: 1, reason: 'ended' } : { type: 'tick' }
}

function randomEvent({ random, run, world }: Play): Event {
  const pick = (all: string[]) => all[Math.floor(random() * all.length)] ?? 'lone'
  const name = pick(run.state().children.map((child) => child.name))
  const slot = pick(world.slots())
  const budgetMs = random() * 5_000
  const dice = random()
  if (dice < 0.3 && world.alive.has(name)) {
    const code = random() < 0.04 ? 78 : [0, 1, null][Math.floor(random() * 3)]!
    return { type: 'exited', name, code, reason: 'ended', outside: code === null && random() < 0.5 }
  }
  if (dice < 0.6) return { type: 'ready', name, facts: null }
  if (dice < 0.65) return { type: 'condemned', name, reason: 'hangs', hung: random() < 0.5 }
  if (dice < 0.67) return { type: 'restart', name: slot, budgetMs }
  if (dice < 0.68) return { type: 'stop', names: [slot], budgetMs }
  if (dice < 0.681) return { type: 'kill' }
  if (dice < 0.72) return { type: 'replace', name: slot, why: 'asked', budgetMs }
  if (dice < 0.73) return { type: 'remove', name: slot, budgetMs }
  if (dice < 0.75) return { type: 'add', spec: LATE }
  if (dice < 0.76) return { type: 'slept', ms: random() * 30_000 }
  return { type: 'tick' }
}

/**
 * From here on every process does what it should, only that none ends without a kill: then all that is wanted and has
 * what it needs is ready after one half-open pause, one start and one handover. Gives how many had to be brought back.
 */
function heal(play: Play): number {
  const { run, world, seed } = play
  const endMs = play.now + POLICY.halfOpenMs + POLICY.backoff.maxMs + 2 * REDIS.bootDeadlineMs + play.sleptMs
  const ill = () => run.state().children.filter((child) => !isWell(run, world, child))
  const count = ill().length
  while (ill().length > 0 && play.now < endMs) {
    for (const name of [...world.killed]) send(play, { type: 'exited', name, code: null, reason: 'ended' })
    for (const { name, phase } of run.state().children) if (phase === 'starting') send(play, ready(name))
    play.now += Math.max(1, Math.min(run.due() ?? 100, 1_000))
    send(play, { type: 'tick' })
  }
  const left = ill().map(({ name, phase }) => `${name} ${phase}`)
  assert.deepEqual(left, [], `${seed}: not well after ${Math.round(endMs - play.now)} ms`)
  return count
}

function ready(name: string): Event {
  return { type: 'ready', name, facts: null }
}

function isWell(run: Run, world: World, child: ChildState): boolean {
  if (!child.wanted) return child.phase === 'stopped' && child.role === 'current'
  return child.phase === 'ready' || cannotBe(run, world, child)
}

/** It has given up itself, or something that it needs is gone for good. */
function cannotBe(run: Run, world: World, child: ChildState): boolean {
  if (world.hasGivenUp(child)) return true
  return child.needs.some((name) => {
    const need = childOf(run.state(), name)
    return !need?.wanted || cannotBe(run, world, need)
  })
}

function finish(play: Play): void {
  const { run, world, seed } = play
  send(play, { type: 'stop', names: world.slots(), budgetMs: 1_000 })
  for (const name of [...world.alive]) send(play, { type: 'exited', name, code: 0, reason: 'ended' })
  assert.deepEqual([...world.alive], [], seed)
  const left = run.state().children.filter(({ phase, role }) => phase !== 'stopped' || role !== 'current')
  assert.deepEqual(left, [], seed)
  assert.equal(run.due(), null, seed)
}
