/** What the instance is given to do, and how each project of it has to end. */
import type { Expectation } from './audit.ts'
import type { DeafInput } from './pipelines/deaf.ts'
import type { LeakInput } from './pipelines/leak.ts'
import { STAGES, type StepsInput, stepNames } from './pipelines/steps.ts'
import type { Misdeed, WildInput } from './pipelines/wild.ts'

export type Work = { pipeline: string; input: unknown; expected: Expectation }

export function stepsWork(input: StepsInput): Work {
  const steps = Object.fromEntries(STAGES.map((stage) => [stage, stepNames(stage, input)]))
  return { pipeline: 'chaos-steps', input, expected: { ends: 'completed', steps } }
}

/** A stage that misbehaves once has to get through; one that always does has to be given up. */
export function wildWork(effects: string, how: Misdeed, { always = false } = {}): Work {
  const input: WildInput = { effects, how, always }
  const steps = { act: always ? ['before'] : ['before', 'after'] }
  return { pipeline: 'chaos-wild', input, expected: { ends: always ? 'failed' : 'completed', steps } }
}

export function deafWork(effects: string): Work {
  const input: DeafInput = { effects }
  return { pipeline: 'chaos-deaf', input, expected: { ends: 'failed', steps: { sit: ['before'] } } }
}

export function leakWork(effects: string): Work {
  const input: LeakInput = { effects }
  return { pipeline: 'chaos-leak', input, expected: { ends: 'completed', steps: { leak: ['work'] } } }
}

/** Nobody knows its steps: then what it remembers is held against what it said. */
export function userWork(pipeline: string, input: unknown): Work {
  return { pipeline, input, expected: { ends: 'completed', steps: null } }
}
