/** A stop that fails: whatever never ends, or throws, everything is killed and said, and the folder is free. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createStopper, type StopParts } from '../../src/launch/stop.ts'
import { createProject, openStore } from '../helpers/projects.ts'

const NEVER = new Promise<never>(() => {})

async function open(t: TestContext, { stop, release }: { stop: () => Promise<void>; release: () => Promise<void> }) {
  const store = await openStore(t)
  await createProject(store)
  const facts: LaunchFact['type'][] = []
  const done = { kill: 0, abandon: 0 }
  const stopper = createStopper({
    layout: store.layout,
    supervisor: { status: () => [], stop, hurry() {}, killInMs: () => null, kill: () => void done.kill++ },
    service: Promise.resolve({ store, stop }),
    folder: { dataId: 'none', release, abandon: async () => void done.abandon++ },
    held: { of: () => [], all: () => [] },
    outerLimit: Promise.resolve(null),
    onFact: (fact: LaunchFact) => void facts.push(fact.type),
  } as unknown as StopParts)
  return { stopper, facts, done }
}

test('what never ends is waited for no longer than a second past the end, and everything is killed', async (t) => {
  const { stopper, facts, done } = await open(t, { stop: () => NEVER, release: () => NEVER })
  const stopped = stopper.stop()
  stopper.kill()
  await assert.rejects(stopped, { code: 'timeout', message: /did not end in time/ })
  assert.deepEqual(done, { kill: 2, abandon: 1 })
  assert.deepEqual(facts, ['stop_escalated', 'stopping', 'component_stopped', 'stopped', 'faulted'])
  assert.equal(stopper.stopView(), null)
})

test('what fails early: everything is killed, and the folder is left to the next start', async (t) => {
  const broken = async () => {
    throw new Error('it is broken')
  }
  const { stopper, facts, done } = await open(t, { stop: broken, release: async () => {} })
  await assert.rejects(stopper.stop(), /it is broken/)
  assert.deepEqual(done, { kill: 1, abandon: 1 })
  assert.deepEqual(facts, ['stopping', 'faulted'])
})
