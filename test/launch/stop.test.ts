/** The last resort of a stop: what never ends is given up, killed and said, and the program can end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createStopper, type StopParts } from '../../src/launch/stop.ts'
import { createProject, openStore } from '../helpers/projects.ts'

const NEVER = new Promise<never>(() => {})

test('what never ends is waited for no longer than a second past the end, and everything is killed', async (t) => {
  const store = await openStore(t)
  await createProject(store)
  const facts: LaunchFact['type'][] = []
  let kills = 0
  const stopper = createStopper({
    layout: store.layout,
    supervisor: { status: () => [], stop: () => NEVER, hurry() {}, kill: () => void kills++ },
    service: { store, stop: () => NEVER },
    folder: { dataId: 'none', release: () => NEVER },
    held: { of: () => [], all: () => [] },
    outerLimit: Promise.resolve(null),
    onFact: (fact: LaunchFact) => void facts.push(fact.type),
  } as unknown as StopParts)
  const stopped = stopper.stop()
  stopper.kill()
  await assert.rejects(stopped, { code: 'timeout', message: /did not end in time/ })
  assert.equal(kills, 2)
  assert.deepEqual(facts, ['stop_escalated', 'stopping', 'component_stopped', 'stopped'])
  assert.equal(stopper.stopView(), null)
})
