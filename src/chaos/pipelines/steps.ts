/** The load of the fault matrix: four stages over three queues, each a row of small steps that say what they did. */
import { randomUUID } from 'node:crypto'
import { sleep } from '../../lib/until.ts'
import { definePipeline, type StageContext, type StageDefinition } from '../../pipelines/define.ts'
import { noteEffect } from '../effects.ts'

/** `firstMs`: how long the first step of all takes in its first attempt. */
export type StepsInput = { effects: string; steps: number; paceMs: number; firstMs?: number }

export const STAGES = ['write', 'draw', 'film', 'check'] as const
const QUEUES = { write: 'llm', draw: 'image', film: 'video', check: 'llm' } as const
/** Only one stage at a time runs in `video`, so that much there would take long. */
const FILM_STEPS = 3

export function stepNames(stage: (typeof STAGES)[number], { steps }: Pick<StepsInput, 'steps'>): string[] {
  return Array.from({ length: stage === 'film' ? Math.min(FILM_STEPS, steps) : steps }, (_, i) => `${stage}-${i + 1}`)
}

export default definePipeline<StepsInput>({
  name: 'chaos-steps',
  input: { parse: (value) => value as StepsInput },
  stages: STAGES.map(stage),
})

function stage(name: (typeof STAGES)[number]): StageDefinition<StepsInput> {
  return {
    name,
    queue: QUEUES[name],
    async *run(context) {
      const names = stepNames(name, context.input)
      for (const [i, step] of names.entries()) {
        await context.step(step, () => perform(context, step, i))
        yield `${step} `
        yield { current: i + 1, total: names.length }
      }
      return { token: randomUUID() }
    },
  }
}

async function perform(context: StageContext<StepsInput>, step: string, index: number): Promise<string> {
  const { input, project, stage: name, attempt, signal, artifacts } = context
  noteEffect(input.effects, { project: project.id, stage: name, step, attempt })
  const isFirst = name === 'write' && index === 0 && attempt === 1
  await sleep(isFirst ? (input.firstMs ?? input.paceMs) : input.paceMs, signal)
  // Made by chance, so that a second run could not make the same bytes.
  if (index === 0) await artifacts.put(`${name}.txt`, { data: `${randomUUID()}\n` }, 'text/plain')
  return randomUUID()
}
