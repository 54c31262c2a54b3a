/** A supervisor with real processes whose facts are kept, and which ends with its test. */
import type { TestContext } from 'node:test'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import type { Policy } from '../../src/supervisor/policy.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { createSupervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts'

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
  })
  const of = <T extends SupervisorFact['type']>(type: T) =>
    facts.filter((fact): fact is Extract<SupervisorFact, { type: T }> => fact.type === type)
  return { supervisor, facts, messages, of }
}
