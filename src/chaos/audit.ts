/** The verdict on one project: lost, doubled, torn. Pure: journal, state and effects in, findings out. */
import type { ProjectState } from '../project/project.ts'
import type { Effect } from './effects.ts'
import type { Attempt, History } from './history.ts'

/** wrong: neither of the others, and yet not as it should be. */
export type FindingKind = 'lost' | 'doubled' | 'torn' | 'left' | 'wrong'

export type Finding = { kind: FindingKind; text: string }

export type Expectation = {
  ends: 'completed' | 'failed'
  /** Stage → steps that it has to have when it is completed; null where nobody knows. */
  steps: Readonly<Record<string, readonly string[]>> | null
}

export type Evidence = {
  history: History
  /** The fold of the journal, as the program makes it. */
  state: ProjectState
  effects: readonly Effect[]
  expected: Expectation
  /** After a full disk torn lines are the design: they are skipped. */
  mayTear: boolean
}

export function auditProject(evidence: Evidence): Finding[] {
  const about = (finding: Finding) => ({ ...finding, text: `${finding.text} (project ${evidence.state.id})` })
  const { torn } = evidence.history
  return [
    ...(torn > 0 && !evidence.mayTear
      ? [{ kind: 'torn' as const, text: `${torn} lines of the journal are torn` }]
      : []),
    ...endFindings(evidence),
    ...stepFindings(evidence),
    ...completionFindings(evidence.history),
    ...effectFindings(evidence),
  ].map(about)
}

/** How often steps were done that had been begun and not finished: what interruptions cost. */
export function repeatsOf(effects: readonly Effect[]): number {
  const kinds = new Set(effects.map((effect) => `${effect.project} ${effect.stage} ${effect.step}`))
  return effects.length - kinds.size
}

function endFindings({ state, expected }: Evidence): Finding[] {
  if (state.status === expected.ends) return []
  const stage = state.stages.find((s) => s.status !== 'completed')
  const why = state.error ? `: ${state.error.code}, ${state.error.message}` : ''
  const where = stage ? ` (${stage.name} is ${stage.status})` : ''
  const text = `it is ${state.status}${where}, and should be ${expected.ends}${why}`
  return [{ kind: 'lost', text }]
}

/** What was remembered must still be there, and so must what a completed stage has to have done. */
function stepFindings({ history, state, expected, effects }: Evidence): Finding[] {
  return state.stages.flatMap((stage) => {
    const done = effects.filter((e) => e.project === state.id && e.stage === stage.name).flatMap((e) => e.step ?? [])
    const latest = Math.max(...attemptsOf(history, stage.name).map((a) => a.take))
    const recorded = attemptsOf(history, stage.name).flatMap((a) => (a.take === latest ? a.steps : []))
    const wanted = stage.status === 'completed' ? [...(expected.steps?.[stage.name] ?? []), ...done] : []
    const has = new Set(stage.steps.map((step) => step.name))
    const missing = [...new Set([...wanted, ...recorded.map((step) => step.name)])].filter((name) => !has.has(name))
    return [
      ...missing.map((name) => ({ kind: 'lost' as const, text: `step ${name} of ${stage.name} is not remembered` })),
      ...twice(recorded.map((step) => `${step.name} ${step.key}`)).map((step) => {
        const text = `step ${step.split(' ')[0]} of ${stage.name} was remembered twice`
        return { kind: 'doubled' as const, text }
      }),
    ]
  })
}

function completionFindings({ attempts }: History): Finding[] {
  const takes = Map.groupBy(attempts, ({ stage, take }) => `${stage} ${take}`)
  return [...takes.values()].flatMap((of) => {
    const times = of.reduce((sum, { completions }) => sum + completions, 0)
    return times > 1 ? [{ kind: 'doubled' as const, text: `${of[0]!.stage} was committed ${times} times` }] : []
  })
}

/** A step that was remembered is never begun again; in one attempt nothing is begun twice. */
function effectFindings({ history, state, effects }: Evidence): Finding[] {
  const mine = effects.filter((effect) => effect.project === state.id)
  const groups = Map.groupBy(mine, ({ stage, step }) => `${stage} ${step}`)
  return [...groups.values()].flatMap((of) => {
    const { stage, step } = of[0]!
    if (step === null) return of.length > 1 ? [outside(stage, of.length)] : []
    const kept = attemptsOf(history, stage).find((attempt) => attempt.steps.some(({ name }) => name === step))
    const late = of.filter(({ attempt }) => kept && attempt > kept.number)
    const again = twice(of.map(({ attempt }) => String(attempt)))
    if (late.length === 0 && again.length === 0) return []
    return [{ kind: 'doubled' as const, text: `step ${step} of ${stage} was done again after it was remembered` }]
  })
}

function outside(stage: string, times: number): Finding {
  return { kind: 'doubled', text: `what ${stage} does outside of its steps happened ${times} times` }
}

function attemptsOf({ attempts }: History, stage: string): Attempt[] {
  return attempts.filter((attempt) => attempt.stage === stage)
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
