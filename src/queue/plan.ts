/** From a project's journal to what should be in the queues: the only source of jobs. */
import { randomBytes, randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { missingArtifacts } from '../project/artifacts.ts'
import type { Folded } from '../project/folded.ts'
import type { StageState } from '../project/project.ts'
import type { ClaimOwner } from '../project/records.ts'
import { isOnItsWay } from '../project/stage.ts'
import { nextStage } from '../project/status.ts'
import type { Kept, Project } from '../project/store.ts'
import type { QueueName } from '../settings.ts'
import type { WakeUp } from './job.ts'

export type PlanFacts = {
  isHeld: (owner: ClaimOwner) => boolean
  resume: 'auto' | 'off'
  /** Milliseconds since 1970, as due times are written. */
  nowMs: () => number
  /** Whether a project that waits for disk space may try again. */
  hasRoom: (project: Project) => boolean
}

/**
 * The job that should stand for this project now, or undefined: queued stages, stages whose owner is
 * gone, and waiting ones whose reason has passed. A stage that a living worker holds needs none.
 */
export function wakeUpFor(project: Project, facts: PlanFacts): WakeUp | undefined {
  const folded = project.read()
  const stage = folded.state.stages.find((s) => isDue(project, s, facts))
  return stage && toWakeUp(folded, stage)
}

function isDue(project: Project, stage: StageState, facts: PlanFacts): boolean {
  if (stage.task_id === null) return false
  if (stage.status === 'queued') return true
  if (stage.status === 'running') {
    const { owner } = project.read().internals[stage.name]!
    return owner === null || !facts.isHeld(owner)
  }
  if (stage.status !== 'waiting') return false
  if (stage.reason === 'interrupted') return facts.resume === 'auto'
  if (stage.reason === 'quota') return stage.wait_until !== null && Date.parse(stage.wait_until) <= facts.nowMs()
  return stage.reason === 'disk' && facts.hasRoom(project)
}

function toWakeUp(folded: Folded, stage: StageState): WakeUp {
  const { name, task_id, queue, retry_at } = stage
  const dueMs = retry_at ? Date.parse(retry_at) : 0
  const { id: projectId, owner } = folded.state
  return { projectId, owner, stage: name, taskId: task_id!, queue: queue as QueueName, dueMs }
}

/**
 * Queues the stage that comes next, if the project goes on by itself and nothing is on its way.
 * Completed stages whose files are gone are put back first. Undefined when there is nothing to queue.
 */
export async function advance(project: Project): Promise<WakeUp | undefined> {
  if (!nextStage(project.read().state.stages)) return undefined
  await demoteDamaged(project)
  const folded = project.read()
  const stage = folded.continues ? nextStage(folded.state.stages) : undefined
  return stage && queueStage(project, stage.name, true)
}

/** Writes the request down. */
export async function queueStage(project: Project, stage: string, continues: boolean): Promise<WakeUp | undefined> {
  const task_id = nextTaskId(project)
  const folded = await project.append({ type: 'queued', stage, task_id, continues })
  const queued = folded.state.stages.find((s) => s.name === stage)
  // Somebody else may have queued it first; theirs is as good while it is on its way.
  return queued && (queued.task_id === task_id || isOnItsWay(queued)) ? toWakeUp(folded, queued) : undefined
}

/** `requestId` names a request that may be repeated: the repetition gets the first one's task. */
export type Execution = { stage: string; input: unknown; requestId: string | null }

/**
 * One stage alone, anew, with an input of its own. Undefined when a stage of the project is on its way. Requests that
 * are made at once think of the same task: each has a name, and a file, of its own, and which of them counted is asked
 * of the journal.
 */
export async function executeStage(
  project: Project,
  { stage, input, requestId }: Execution,
): Promise<WakeUp | undefined> {
  const task_id = nextTaskId(project)
  const request_id = requestId ?? randomUUID()
  const kept = await project.keep(input, `${task_id}.${randomBytes(4).toString('hex')}.json`)
  try {
    const folded = await project.append({ type: 'executed', stage, task_id, input: kept, request_id })
    const queued = folded.state.stages.find((s) => s.name === stage)
    return queued && queued.task_id === folded.requests[request_id] ? toWakeUp(folded, queued) : undefined
  } finally {
    await dropUnlessNamed(project, stage, kept).catch(() => {}) // it only costs room
  }
}

/** The input of a request that did not count. */
async function dropUnlessNamed(project: Project, stage: string, kept: Kept): Promise<void> {
  if ('value' in kept) return
  const own = project.read().state.stages.find((s) => s.name === stage)?.own_input
  if (own && 'file' in own && own.file === kept.file) return
  await rm(join(project.paths.folder, kept.file), { force: true })
}

/** Behind the last one that is known, not their number: a journal begun anew from the state file knows only some. */
function nextTaskId({ id, read }: Project): string {
  const places = Object.keys(read().tasks).map((taskId) => Number(taskId.slice(id.length + 1)))
  return `${id}-${Math.max(0, ...places) + 1}`
}

/** True when a file of a completed stage had gone from the disk, so that the stage has to run again. */
export async function demoteDamaged(project: Project): Promise<boolean> {
  const damaged = damagedStages(project)
  for (const { stage, missing } of damaged) await project.append({ type: 'demoted', stage, missing })
  return damaged.length > 0
}

/** The completed stages of which files have gone from the disk; with a stage's name, of those before it. */
export function damagedStages(project: Project, before?: string): { stage: string; missing: string[] }[] {
  const folded = project.read()
  const end = folded.state.stages.findIndex((s) => s.name === before)
  const completed = folded.state.stages.slice(0, end < 0 ? undefined : end).filter((s) => s.status === 'completed')
  return completed.flatMap((stage) => {
    const missing = missingArtifacts(project.paths, folded, stage)
    return missing.length > 0 ? [{ stage: stage.name, missing }] : []
  })
}
