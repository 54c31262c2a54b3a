/** Which entry of the chronicle caused which. Pure bookkeeping over the facts, in the order in which they are told. */
import { isFromOutside } from '../supervisor/processes.ts'
import type { LaunchFact } from './facts.ts'

export type Causes = {
  /** The id of what caused this fact, as far as that is known. */
  of(fact: LaunchFact): number | null
  /** The fact is entry `id` from now on. */
  note(fact: LaunchFact, id: number): void
}

/**
 * `from`: the marks that may have caused it; the newest did. `is`: the marks that it leaves for what follows.
 * `ends`: the marks that mean nothing any more.
 */
type Rule<F> = { from?(fact: F): string[]; is?(fact: F): string[]; ends?(fact: F): string[] }
type Rules = { [T in LaunchFact['type']]?: Rule<Extract<LaunchFact, { type: T }>> }

const RULES: Rules = {
  booted: { is: () => ['boot'] },
  survivors_ended: { from: () => ['boot'] },
  ready: { from: () => ['boot'] },
  boot_failed: { from: () => ['boot'] },
  operator_asked: { is: (f) => [`asked ${f.process}`] },
  child_spawned: {
    from: (f) => [`plan ${f.name}`, `asked ${f.name}`, 'boot'],
    is: (f) => [`spawned ${f.name}`],
    ends: (f) => ['plan', 'asked', 'kill', 'suspicion', 'stopping', 'replaced'].map((mark) => `${mark} ${f.name}`),
  },
  child_ready: {
    from: (f) => [`spawned ${f.name}`],
    is: (f) => [`ready ${f.name}`],
    ends: (f) => (f.name === REDIS ? [LOST] : []),
  },
  child_boot_missed: { from: (f) => [`spawned ${f.name}`], is: (f) => [`kill ${f.name}`] },
  child_suspected: { is: (f) => [`suspicion ${f.name}`] },
  child_recovered: { from: (f) => [`suspicion ${f.name}`], ends: (f) => [`suspicion ${f.name}`] },
  child_hung: { from: (f) => [`suspicion ${f.name}`], is: (f) => [`kill ${f.name}`] },
  child_exited: {
    from: (f) => causesOfExit(f),
    is: (f) => [`exit ${f.name}`, ...(f.name === REDIS && f.wanted ? [LOST] : [])],
  },
  child_repaired: { from: (f) => [`exit ${f.name}`] },
  child_restart_planned: { from: (f) => [`exit ${f.name}`], is: (f) => [`plan ${f.name}`] },
  child_parked: { from: (f) => [`exit ${f.name}`], is: (f) => [`plan ${f.name}`] },
  child_replacing: {
    from: (f) => [`asked ${f.name}`],
    is: (f) => [`plan ${f.name}.next`],
    ends: (f) => [`asked ${f.name}`],
  },
  child_replaced: { from: (f) => [`spawned ${f.name}`], is: (f) => [`replaced ${f.name}.old`] },
  child_replace_failed: { from: (f) => [`exit ${f.name}.next`, `kill ${f.name}.next`] },
  child_stopping: {
    from: (f) => [`replaced ${f.name}`, `asked ${f.name}`, STOP],
    is: (f) => [`stopping ${f.name}`],
    ends: (f) => [`asked ${f.name}`],
  },
  // A restart by hand is a stop, and then a start. One that was down is not told to stop first.
  child_stopped: {
    from: (f) => [`stopping ${f.name}`, `asked ${f.name}`, STOP],
    is: (f) => [`plan ${f.name}`],
    ends: (f) => [`asked ${f.name}`],
  },
  redis_changed: {
    from: (f) => (f.running ? [`ready ${REDIS}`, LOST] : [LOST]),
    is: (f) => (f.running ? [] : [LOST]),
    ends: (f) => (f.running ? [LOST] : []),
  },
  jobs_taken_back: { from: (f) => [`exit ${f.worker}`] },
  death_charged: { from: (f) => [`exit ${f.worker}`] },
  stop_asked: { is: () => [STOP] },
  faulted: { is: () => [STOP] },
  stopping: { from: () => [STOP], is: () => [STOP] },
  stop_escalated: { from: () => [STOP] },
  component_stopped: { from: () => [STOP] },
  stopped: { from: () => [STOP] },
}

const REDIS = 'redis'
const LOST = 'redis lost'
const STOP = 'stop'

export function createCauses(): Causes {
  const marks = new Map<string, number>()
  return {
    of(fact) {
      if (fact.type === 'child_replaced') hand(marks, fact.name)
      const from = ruleFor(fact)?.from?.(fact) ?? []
      const ids = from.flatMap((mark) => marks.get(mark) ?? [])
      return ids.length > 0 ? Math.max(...ids) : null
    },
    note(fact, id) {
      const rule = ruleFor(fact)
      for (const mark of rule?.ends?.(fact) ?? []) marks.delete(mark)
      for (const mark of rule?.is?.(fact) ?? []) marks.set(mark, id)
    },
  }
}

function ruleFor(fact: LaunchFact): Rule<LaunchFact> | undefined {
  return RULES[fact.type] as Rule<LaunchFact> | undefined
}

/** The names change hands: the successor has the slot's, and the process before is the old one. */
function hand(marks: Map<string, number>, slot: string): void {
  rename(marks, slot, `${slot}.old`)
  rename(marks, `${slot}.next`, slot)
}

function rename(marks: Map<string, number>, from: string, to: string): void {
  for (const [mark, id] of marks) {
    if (!mark.endsWith(` ${from}`)) continue
    marks.delete(mark)
    marks.set(`${mark.slice(0, -from.length)}${to}`, id)
  }
}

type Exited = Extract<LaunchFact, { type: 'child_exited' }>

/** An end of its own while Redis is away is Redis' fault; a kill from outside is nobody's. */
function causesOfExit(fact: Exited): string[] {
  if (!fact.wanted) return [`stopping ${fact.name}`]
  if (fact.killedFor !== null) return [`kill ${fact.name}`]
  return fact.name === REDIS || isFromOutside(fact) ? [] : [LOST]
}
