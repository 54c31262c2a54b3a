/** A stage that keeps a megabyte of its worker's memory for ever, each time it runs. */
import { sleep } from '../../lib/until.ts'
import { definePipeline } from '../../pipelines/define.ts'
import { noteEffect } from '../effects.ts'

export type LeakInput = { effects: string }

const kept: Buffer[] = []
const WORK_MS = 20

export default definePipeline<LeakInput>({
  name: 'chaos-leak',
  input: { parse: (value) => value as LeakInput },
  stages: [
    {
      name: 'leak',
      queue: 'llm',
      async run({ input, project, stage, step, attempt, signal }) {
        kept.push(Buffer.alloc(2 ** 20, 1))
        await step('work', async () => {
          noteEffect(input.effects, { project: project.id, stage, step: 'work', attempt })
          await sleep(WORK_MS, signal)
        })
      },
    },
  ],
})
