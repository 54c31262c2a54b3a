/** A store with one small project in a temp folder. */
import type { TestContext } from 'node:test'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Attempt } from '../../src/project/attempt.ts'
import { claimStage } from '../../src/project/claim.ts'
import { dataLayout } from '../../src/project/layout.ts'
import type { ClaimOwner } from '../../src/project/records.ts'
import { createProjectStore, type Project, type ProjectStore } from '../../src/project/store.ts'
import { queueStage } from '../../src/queue/plan.ts'
import { tempFolder } from './temp.ts'

export const STAGES = [
  { name: 'write', queue: 'llm' },
  { name: 'draw', queue: 'image' },
]

export async function openStore(t: TestContext): Promise<ProjectStore> {
  return createProjectStore(dataLayout(await tempFolder(t)))
}

export async function createProject(store: ProjectStore, input: unknown = { text: 'hi' }): Promise<Project> {
  return store.create({
    id: uuidv7(),
    pipeline: 'p',
    title: 'A title',
    owner: 'operator',
    input,
    stages: STAGES,
    autostart: true,
  })
}

export const ALIVE: ClaimOwner = { run: 'r', pid: process.pid, started: '', worker: 'io-1', token: 't' }

/** Queues the stage if it has to be, and claims it in the name of `owner`. */
export async function begin(project: Project, stage: string, owner = ALIVE): Promise<Attempt> {
  const state = project.read().state.stages.find((s) => s.name === stage)!
  const taskId = state.status === 'pending' ? (await queueStage(project, stage, true))!.taskId : state.task_id!
  const attempt = await claimStage(project, { stage, taskId, owner, isHeld: () => false })
  if (typeof attempt === 'string') throw new Error(`could not claim ${stage}: ${attempt}`)
  return attempt
}

export const NO_CREDIT = {
  provider: null,
  model: null,
  degraded: [],
  usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
}
