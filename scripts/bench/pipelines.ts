/** Pipelines that do nothing but say when they ran; what is left is the framework. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../../src/api/schemas/project.ts'

/** Stages of the pipeline `bench-chain`. */
export const CHAIN_LENGTH = 40

const HEAD = `const at = () => performance.timeOrigin + performance.now()
const input = { parse: (value) => value }
`

const FILES = {
  noop: `${HEAD}export default { name: 'bench-noop', input, stages: [{ name: 'noop', queue: 'llm', run: () => ({ at: at() }) }] }\n`,
  chain: `${HEAD}const stage = (_, i) => ({ name: 'noop-' + (i + 1), queue: 'llm', run: () => ({ at: at() }) })
export default { name: 'bench-chain', input, stages: Array.from({ length: ${CHAIN_LENGTH} }, stage) }\n`,
  wait: `${HEAD}const run = ({ attempt, signal }) =>
  attempt > 1 ? { at: at() } : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
export default { name: 'bench-wait', input, stages: [{ name: 'wait', queue: 'llm', run }] }\n`,
  busy: `${HEAD}const run = async ({ input, attempt }) => {
  if (attempt > 1) return { at: at() }
  const { appendFileSync } = await import('node:fs')
  appendFileSync(input.file, String(at()))
  for (;;);
}
export default { name: 'bench-busy', input, stages: [{ name: 'loop', queue: 'video', run }] }\n`,
  steps: `${HEAD}const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const run = async ({ input, step }) => {
  for (let i = 1; i <= input.steps; i++) await step('step-' + i, () => pause(input.ms))
  return { at: at() }
}
export default { name: 'bench-steps', input, stages: [{ name: 'steps', queue: 'llm', run }] }\n`,
}

/** Gives the folder, for PIPELINES_DIR. */
export async function writePipelines(folder: string): Promise<string> {
  const path = join(folder, 'pipelines')
  await mkdir(path, { recursive: true })
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(path, `${name}.mjs`), text)
  return path
}

/** When each stage ran, on the wall clock. */
export function timesOf(project: Project): number[] {
  return project.stages.map((stage) => (stage.result as { at: number }).at)
}

/** The time from each to the next. */
export function gapsOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => time - times[i]!)
}
