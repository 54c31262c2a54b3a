/** Thousands of random orders of events against the rules that no order may break. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Action, childOf, type Event } from '../../src/supervisor/state.ts'
import { createRandom } from '../helpers/random.ts'
import { createRun, POLICY, REDIS, type Run, spec, WORKER } from './reducer-run.ts'

const ORDERS = 10_000
const STEPS = 60

test(`in ${ORDERS} random orders of events no rule is ever broken`, () => {
  for (let seed = 1; seed <= ORDERS; seed++) playRandomly(seed)
})

/** One world of real consequences (a kill ends a process, …) with events in an order that the seed decides. */
function playRandomly(seed: number): void {
  const random = createRandom(String(seed))
  const specs = [REDIS, WORKER, spec('scheduler', { kind: 'node', needs: ['redis'] }), spec('lone', { kind: 'node' })]
  const run = createRun(specs, { ...POLICY, random })
  const world = createWorld(run, `seed ${seed}`)
  let now = random() * 1_000
  world.send(now, { type: 'start' })
  for (let step = 0; step < STEPS; step++) {
    now += random() < 0.05 ? -random() * 1e6 : random() < 0.3 ? random() * 40_000 : random() * 300
    world.send(Math.max(0, now), world.randomEvent(random))
  }
  world.finish(now)
}

type World = {
  send(now: number, event: Event): void
  randomEvent(random: () => number): Event
  finish(now: number): void
}

/** Added while the others run. */
const LATE = spec('late', { kind: 'node', needs: ['redis'] })

function createWorld(run: Run, seed: string): World {
  const alive = new Set<string>()
  /** Slots that were stopped for good; a removed one may be added again. */
  const forbidden = new Set<string>()
  const counted: Record<string, number[]> = {}
  const children = () => run.state().children
  const slots = () => [...new Set(children().map(({ slot }) => slot))]
  const names = () => children().map(({ name }) => name)
  const slotOf = (name: string) => name.replace(/\.(next|old)$/, '')

  function send(now: number, event: Event): void {
    note(event)
    run.send(now, event)
    for (const action of run.takeActions()) check(action)
    for (const child of children()) {
      assert.equal(child.running, alive.has(child.name), `${seed}: the state knows which processes there are`)
      assert.ok(child.failures >= 0, seed)
      if (forbidden.has(child.slot)) assert.ok(['stopped', 'stopping'].includes(child.phase), seed)
      if (child.phase === 'stopped') assert.equal(child.running, false, seed)
    }
    assert.deepEqual(
      [...alive].filter((name) => !names().includes(name)),
      [],
      `${seed}: processes nobody knows`,
    )
    for (const slot of slots()) checkSlot(slot)
  }

  function note(event: Event): void {
    if (event.type === 'exited') alive.delete(event.name)
    if (event.type === 'stop') for (const name of event.names) forbidden.add(name)
    if (event.type === 'add' && !names().includes(event.spec.name)) forbidden.delete(event.spec.name)
    if (event.type === 'remove' && childOf(run.state(), event.name)) forbidden.add(event.name)
    // A person asked, or a process with no past took over: what was before is forgotten.
    if (event.type === 'restart') counted[event.name] = []
    if (event.type === 'kill') for (const slot of slots()) forbidden.add(slot)
  }

  /** One at work, at most one on its way in and one on its way out. */
  function checkSlot(slot: string): void {
    const roles = children()
      .filter((child) => child.slot === slot)
      .map(({ role }) => role)
    assert.equal(new Set(roles).size, roles.length, `${seed}: ${slot} has ${roles}`)
    const atWork = children().filter((c) => c.slot === slot && c.phase === 'ready').length
    assert.ok(atWork <= 1, `${seed}: ${atWork} of ${slot} are ready`)
  }

  function check(action: Action): void {
    if (action.do === 'tell') checkFact(action.fact)
    else if (action.do === 'rename') rename(action.from, action.to)
    else if (action.do === 'copy') assert.ok(!names().includes(action.from) || names().includes(action.to), seed)
    else if (action.do === 'forget') assert.ok(!alive.has(action.name), `${seed}: ${action.name} forgotten alive`)
    else if (action.do === 'spawn') {
      assert.ok(!alive.has(action.name), `${seed}: two of ${action.name}`)
      assert.ok(!forbidden.has(slotOf(action.name)), `${seed}: ${action.name} started after its stop`)
      alive.add(action.name)
    } else assert.ok(alive.has(action.name), `${seed}: ${action.do} to no process`)
  }

  function rename(from: string, to: string): void {
    assert.ok(!alive.has(to), `${seed}: ${from} takes the name of ${to}, which runs`)
    if (alive.delete(from)) alive.add(to)
  }

  function checkFact(fact: Extract<Action, { do: 'tell' }>['fact']): void {
    if (fact.type === 'child_replaced') counted[fact.name] = []
    if (fact.type === 'child_restart_planned' && !fact.free) count(fact.name)
  }

  /** Restarts that count stay below the limit in every window. */
  function count(name: string): void {
    const at = run.state().nowMs
    const window = [...(counted[name] ?? []), at].filter((ms) => at - ms < POLICY.crashWindowMs)
    counted[name] = window
    const forgiven = ['worker', 'scheduler', 'late'].includes(name) ? Infinity : 0 // crashes that Redis took the blame for
    assert.ok(
      window.length <= POLICY.maxCrashes - 1 + forgiven,
      `${seed}: ${name} restarted ${window.length} times a minute`,
    )
  }

  return {
    send,
    randomEvent(random) {
      const pick = (all: string[]) => all[Math.floor(random() * all.length)] ?? 'lone'
      const name = pick(names())
      const slot = pick(slots())
      const budgetMs = random() * 5_000
      const dice = random()
      if (dice < 0.3 && alive.has(name)) {
        const code = [0, 1, null, 78][Math.floor(random() * 4)]!
        return { type: 'exited', name, code, reason: 'ended', outside: code === null && random() < 0.5 }
      }
      if (dice < 0.6) return { type: 'ready', name, facts: null }
      if (dice < 0.65) return { type: 'condemned', name, reason: 'hangs', hung: random() < 0.5 }
      if (dice < 0.68) return { type: 'restart', name: slot, budgetMs }
      if (dice < 0.7) return { type: 'stop', names: [slot], budgetMs }
      if (dice < 0.702) return { type: 'kill' }
      if (dice < 0.76) return { type: 'replace', name: slot, why: 'asked', budgetMs }
      if (dice < 0.775) return { type: 'remove', name: slot, budgetMs }
      if (dice < 0.79) return { type: 'add', spec: LATE }
      if (dice < 0.8) return { type: 'slept', ms: random() * 30_000 }
      return { type: 'tick' }
    },
    finish(now) {
      send(now, { type: 'stop', names: slots(), budgetMs: 1_000 })
      for (const name of [...alive]) send(now, { type: 'exited', name, code: 0, reason: 'ended' })
      assert.deepEqual([...alive], [], seed)
      assert.ok(
        children().every(({ phase, role }) => phase === 'stopped' && role === 'current'),
        seed,
      )
      assert.equal(run.due(), null)
    },
  }
}
