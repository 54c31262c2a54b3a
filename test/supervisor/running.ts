/** A supervisor with real processes whose facts are kept, and which ends with its test and leaves nothing. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import type { Policy } from '../../src/supervisor/policy.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { createSupervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts'
import { findSurvivors } from '../../src/supervisor/sweep.ts'
import { TEST_IDS } from '../fixtures/children/specs.ts'

type Options = Partial<Policy> & Pick<SupervisorOptions, 'isOwnFault'>

export function setUp(t: TestContext, specs: ChildSpec[], { isOwnFault, ...policy }: Options = {}) {
  const facts: SupervisorFact[] = []
  const messages: { name: string; message: unknown }[] = []
  const supervisor = createSupervisor({
    specs,
    policy,
    ...(isOwnFault && { isOwnFault }),
    onFact: (fact) => facts.push(fact),
    onMessage: ({ name }, message) => messages.push({ name, message }),
  })
  t.after(async () => {
    supervisor.kill()
    await supervisor.stop(
      specs.map(({ name }) => name),
      { deadlineMs: performance.now() },
    )
    await assertNothingLeft(TEST_IDS.dataId)
  })
  const of = <T extends SupervisorFact['type']>(type: T) =>
    facts.filter((fact): fact is Extract<SupervisorFact, { type: T }> => fact.type === type)
  return { supervisor, facts, messages, of }
}

/** As the next start of the program would look for it. What has just been killed may still be on its way out. */
export async function assertNothingLeft(dataId: string): Promise<void> {
  const probe = async () => (await findSurvivors(dataId)).length === 0
  await until(probe, { timeoutMs: 10_000, everyMs: 20 }).catch(() => {}) // said better by the next line
  assert.deepEqual(await findSurvivors(dataId), [], 'processes are left')
}
