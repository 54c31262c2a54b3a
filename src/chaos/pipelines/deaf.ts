/** A stage with time limits that it does not hear. */
import { definePipeline } from '../../pipelines/define.ts'
import { noteEffect } from '../effects.ts'

export type DeafInput = { effects: string }

export default definePipeline<DeafInput>({
  name: 'chaos-deaf',
  input: { parse: (value) => value as DeafInput },
  stages: [
    {
      name: 'sit',
      queue: 'llm',
      softTimeLimitS: 1,
      timeLimitS: 2,
      async run({ input, project, stage, step, attempt }) {
        await step('before', () => noteEffect(input.effects, { project: project.id, stage, step: 'before', attempt }))
        await new Promise(() => {})
      },
    },
  ],
})
