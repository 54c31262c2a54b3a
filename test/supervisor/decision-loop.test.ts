/** When the loop wakes, and what it makes of a time in which it did not run. With a clock and timers of the test. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { twoTurns } from '../../src/lib/until.ts'
import { createDecisionLoop } from '../../src/supervisor/decision-loop.ts'
import { childOf, type Event } from '../../src/supervisor/state.ts'
import { POLICY, spec } from './reducer-run.ts'

const READY: Event = { type: 'ready', name: 'quick', facts: null }

test('the first event after a pause of ours moves all deadlines before it is looked at', (t) => {
  const { loop, clock, dueOf, kills } = setUp(t)
  loop.dispatch({ type: 'start' })
  clock.nowMs = 20_000 // stopped until now: `ready` lies in the pipe and is read before the timer that is late
  loop.dispatch(READY)
  assert.deepEqual(kills(), [])
  assert.equal(dueOf('slow'), 20_000)
  clock.nowMs = 20_001
  loop.dispatch({ type: 'tick' })
  assert.deepEqual(kills(), ['slow'], 'what was not ready then was late for itself')
})

test('a timer that comes late judges nobody before everybody could be heard', async (t) => {
  const { loop, clock, kills } = setUp(t)
  loop.dispatch({ type: 'start' })
  clock.nowMs = 20_000
  t.mock.timers.tick(15_000)
  loop.dispatch(READY)
  await twoTurns()
  await twoTurns()
  assert.deepEqual(kills(), ['slow'])
})

test('a pause counts once, and a small delay is none', (t) => {
  const { loop, clock, dueOf } = setUp(t)
  loop.dispatch({ type: 'start' })
  clock.nowMs = 15_900
  loop.dispatch(READY)
  assert.equal(dueOf('slow'), 15_000)
  clock.nowMs = 40_000
  loop.dispatch(READY)
  assert.ok(dueOf('slow')! > 39_000)
  loop.dispatch(READY)
  assert.ok(dueOf('slow')! <= 40_000)
})

test('while nothing is due no pause can be seen', (t) => {
  const { loop, clock, dueOf } = setUp(t)
  clock.nowMs = 500_000
  loop.dispatch({ type: 'start' })
  assert.equal(dueOf('slow'), 515_000)
})

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const clock = { nowMs: 0, now: () => clock.nowMs }
  const killed: string[] = []
  const loop = createDecisionLoop({
    specs: [spec('quick', { kind: 'node' }), spec('slow', { kind: 'node' })],
    policy: POLICY,
    clock,
    act: (action) => action.do === 'kill' && killed.push(action.name),
    onEnd() {},
  })
  return { loop, clock, kills: () => killed, dueOf: (name: string) => childOf(loop.state(), name)?.dueMs }
}
