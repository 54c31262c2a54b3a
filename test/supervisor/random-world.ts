/** One world of real consequences (a kill ends a process, …) in which no event may break a rule. */
import assert from 'node:assert/strict'
import { type Action, type ChildState, childOf, type Event, hasNeeds } from '../../src/supervisor/state.ts'
import type { Run } from './reducer-run.ts'
import { type Coverage, createRestartRules } from './restart-rules.ts'

export type World = {
  send(now: number, event: Event): void
  /** Names of the processes that there are. */
  alive: ReadonlySet<string>
  /** Those of them that were killed and have not ended yet. */
  killed: ReadonlySet<string>
  slots(): string[]
  /** It has said that no other try can help. */
  hasGivenUp(child: ChildState): boolean
}

export function createWorld(run: Run, seed: string, coverage: Coverage): World {
  const alive = new Set<string>()
  const killed = new Set<string>()
  /** Slots that were stopped for good; a removed one may be added again. */
  const forbidden = new Set<string>()
  const givenUp = new Set<string>()
  const restarts = createRestartRules(run, seed, coverage)
  const children = () => run.state().children
  const slots = () => [...new Set(children().map(({ slot }) => slot))]
  const names = () => children().map(({ name }) => name)
  const hasGivenUp = ({ name, phase }: ChildState) => phase === 'parked' && givenUp.has(name)

  function send(now: number, event: Event): void {
    const before = run.state()
    note(event)
    run.send(now, event)
    const actions = run.takeActions()
    restarts.check(before, event, actions)
    for (const action of actions) check(action)
    for (const child of children()) checkChild(child)
    for (const name of alive) assert.ok(names().includes(name), `${seed}: nobody knows the process of ${name}`)
    for (const slot of slots()) checkSlot(slot)
  }

  function note(event: Event): void {
    if (event.type === 'exited') noteEnd(event.name, event.code)
    if (event.type === 'stop') for (const name of event.names) forbidden.add(name)
    if (event.type === 'add' && !names().includes(event.spec.name)) forbidden.delete(event.spec.name)
    if (event.type === 'remove' && childOf(run.state(), event.name)) forbidden.add(event.name)
    if (event.type === 'kill') for (const slot of slots()) forbidden.add(slot)
  }

  function noteEnd(name: string, code: number | null): void {
    alive.delete(name)
    killed.delete(name)
    if (code === 78) givenUp.add(name)
    else givenUp.delete(name)
  }

  function checkChild(child: ChildState): void {
    assert.equal(child.running, alive.has(child.name), `${seed}: the state knows which processes there are`)
    assert.ok(child.failures >= 0, seed)
    if (forbidden.has(child.slot)) assert.ok(['stopped', 'stopping'].includes(child.phase), seed)
    if (child.phase === 'stopped') assert.equal(child.running, false, seed)
    assert.ok(goesOn(child), `${seed}: ${child.name} is ${child.phase} for ever`)
  }

  /** Nobody has to come for it: something is due, or it is where it should be, or it waits for what is not there. */
  function goesOn(child: ChildState): boolean {
    if (child.dueMs !== null || child.phase === 'ready' || hasGivenUp(child)) return true
    if (child.phase === 'waiting') return !hasNeeds(run.state(), child)
    return !child.wanted && !child.running
  }

  /** One at work, at most one on its way in and one on its way out. */
  function checkSlot(slot: string): void {
    const ofSlot = children().filter((child) => child.slot === slot)
    const roles = ofSlot.map(({ role }) => role)
    assert.equal(new Set(roles).size, roles.length, `${seed}: ${slot} has ${roles}`)
    const atWork = ofSlot.filter(({ phase }) => phase === 'ready').length
    assert.ok(atWork <= 1, `${seed}: ${atWork} of ${slot} are ready`)
  }

  function check(action: Action): void {
    if (action.do === 'tell') return
    if (action.do === 'rename') rename(action.from, action.to)
    else if (action.do === 'copy') assert.ok(!names().includes(action.from) || names().includes(action.to), seed)
    else if (action.do === 'forget') assert.ok(!alive.has(action.name), `${seed}: ${action.name} forgotten alive`)
    else if (action.do === 'spawn') spawn(action.name)
    else checkOrder(action.do, action.name)
  }

  function spawn(name: string): void {
    assert.ok(!alive.has(name), `${seed}: two of ${name}`)
    assert.ok(!forbidden.has(name.replace(/\.(next|old)$/, '')), `${seed}: ${name} started after its stop`)
    alive.add(name)
    givenUp.delete(name)
  }

  function checkOrder(order: 'go' | 'drain' | 'kill', name: string): void {
    assert.ok(alive.has(name), `${seed}: ${order} to no process`)
    if (order === 'kill') killed.add(name)
    const child = childOf(run.state(), name)
    if (order === 'go')
      assert.ok(child && hasNeeds(run.state(), child), `${seed}: ${name} may go without what it needs`)
  }

  function rename(from: string, to: string): void {
    assert.ok(!alive.has(to), `${seed}: ${from} takes the name of ${to}, which runs`)
    for (const names of [alive, killed, givenUp]) if (names.delete(from)) names.add(to)
  }

  return { send, alive, killed, slots, hasGivenUp }
}
