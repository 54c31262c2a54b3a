/** The first start of all children: up to the moment when they are ready, or when one shows that it will not be. */
import { AppError } from '../lib/errors.ts'
import type { DecisionLoop } from './decision-loop.ts'
import type { SupervisorFact } from './facts.ts'
import type { Host } from './processes.ts'

export type Boot = {
  /** Resolves when all are ready; rejects when one misses its deadline, is given up, or has crashed three times. */
  run(): Promise<void>
  note(fact: SupervisorFact): void
}

/** One that takes long to crash is never given up by the crashes of its last minute, but the user waits for it. */
const MAX_CRASHES = 3

/** After the boot faults are the supervisor's to mend; during it the user has to know. */
export function createBoot(host: Host, loop: DecisionLoop): Boot {
  const failed = Promise.withResolvers<never>()
  const crashes = new Map<string, number>()
  let isOver = false
  failed.promise.catch(() => {}) // heard by `run` only
  const phases = () => host.state().children.map((child) => child.phase)

  function faultOf(fact: SupervisorFact): string | null {
    if (fact.type === 'child_boot_missed') return `was not ready within ${fact.deadlineMs / 1_000} s`
    if (fact.type === 'child_parked') return fact.reason
    if (fact.type !== 'child_restart_planned' || fact.free) return null
    const times = (crashes.get(fact.name) ?? 0) + 1
    crashes.set(fact.name, times)
    return times < MAX_CRASHES ? null : `${host.records.get(fact.name)?.lastExit?.reason} for the third time`
  }

  return {
    async run() {
      const settled = loop.reached(() => phases().every((phase) => phase === 'ready' || phase === 'stopped'))
      host.dispatch({ type: 'start' })
      await Promise.race([settled, failed.promise]).finally(() => {
        isOver = true
      })
      if (phases().includes('stopped')) throw new AppError('interrupted', 'Stopped while it was starting')
    },
    note(fact) {
      const reason = isOver ? null : faultOf(fact)
      if (reason !== null) failed.reject(bootError(host, fact.name, reason))
    },
  }
}

function bootError(host: Host, name: string, reason: string): AppError {
  const lines = host.records.get(name)!.lines.list()
  const output = lines.length === 0 ? '' : `; its last output:\n${lines.slice(-10).join('\n')}`
  return new AppError('program_failed', `${name} ${reason}${output}`, { details: { name, reason, lines } })
}
