/** A stage that does what a stage never should, in its first attempt or in all of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { sleep } from '../../lib/until.ts'
import { definePipeline, type StageContext } from '../../pipelines/define.ts'
import { noteEffect } from '../effects.ts'

export type Misdeed = 'spin' | 'exit' | 'hoard' | 'flood' | 'abandon'
export type WildInput = { effects: string; how: Misdeed; always?: boolean }

const MISDEEDS: Record<Misdeed, () => void | Promise<void>> = { spin, exit, hoard, flood, abandon }

export default definePipeline<WildInput>({
  name: 'chaos-wild',
  input: { parse: (value) => value as WildInput },
  stages: [
    {
      name: 'act',
      queue: 'llm',
      async run(context) {
        const { input, attempt, step } = context
        await step('before', () => note(context, 'before'))
        if (attempt === 1 || input.always) await MISDEEDS[input.how]()
        await step('after', () => note(context, 'after'))
      },
    },
  ],
})

function note({ input, project, stage, attempt }: StageContext<WildInput>, step: string): void {
  noteEffect(input.effects, { project: project.id, stage, step, attempt })
}

/** Blocks the event loop for ever. */
function spin(): void {
  let turns = 0
  while (turns >= 0) turns += 1
}

function exit(): void {
  process.exit(3)
}

/** Until the heap is exhausted, which aborts the process. */
function hoard(): void {
  const kept: unknown[] = []
  while (kept.length >= 0) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })))
}

const FLOOD_BYTES = 100 * 1024 * 1024
const LINE = `${'flood '.repeat(170)}\n`

async function flood(): Promise<void> {
  const chunk = LINE.repeat(64)
  for (let sent = 0; sent < FLOOD_BYTES; sent += chunk.length)
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain')
}

/** A program in a session of its own, which outlives its parent and holds the parent's pipes; then a pause, so that it is seen. */
async function abandon(): Promise<void> {
  spawn('sleep', ['600'], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] }).unref()
  await sleep(ABANDON_MS)
}

const ABANDON_MS = 500
