/**
 * What a run leaves in the middle: named at boot and, at a stop, written down as interrupted. So is with RESUME=off
 * all that would go on by itself, so that the start spends nothing.
 */
import type { DataLayout } from '../project/layout.ts'
import { isLeaseHeld } from '../project/lease.ts'
import { cleanOpenProjects } from '../project/leftovers.ts'
import { ENDED, type StageState } from '../project/project.ts'
import { isOnItsWay } from '../project/stage.ts'
import { readStateFile } from '../project/state-file.ts'
import { nextStage } from '../project/status.ts'
import { createProjectStore, type Project, type ProjectStore } from '../project/store.ts'
import { queueStage } from '../queue/plan.ts'

export type Interrupted = { id: string; title: string; stage: string }

export type ResumeFacts = {
  layout: DataLayout
  resume: 'auto' | 'off'
  /** Ends the search; what has been found by then counts. */
  signal?: AbortSignal
}

/**
 * The projects that an earlier run left in the middle, without what its processes left in their folders. Looked for
 * before a worker can take one of them up.
 */
export async function findInterrupted({ layout, ...how }: ResumeFacts): Promise<Interrupted[]> {
  const store = createProjectStore(layout)
  await cleanOpenProjects(store, () => true, how.signal)
  return how.resume === 'off' ? look(store, everything, how.signal) : look(store, nothing, how.signal)
}

/** Which of a project's stages are set aside until somebody says `resume`. */
type Choice = (project: Project, leftBehind: StageState[]) => StageState[]

const nothing: Choice = () => []
const whatRan: Choice = (_, left) => left.filter(({ status }) => status === 'running')

/** All that would go on by itself: what ran, what had its turn or a due time to wait for, and what follows a completed stage. */
const everything: Choice = (project, leftBehind) => {
  const { state, continues } = project.read()
  const going = state.stages.filter(isOnItsWay)
  if (going.length === 0)
    return [continues ? nextStage(state.stages) : undefined].filter((stage) => stage !== undefined)
  return [
    ...whatRan(project, leftBehind),
    ...going.filter(({ status, reason }) => status === 'queued' || isDueByItself(reason)),
  ]
}

function isDueByItself(reason: StageState['reason']): boolean {
  return reason === 'quota' || reason === 'disk'
}

async function look(store: ProjectStore, choose: Choice, signal?: AbortSignal): Promise<Interrupted[]> {
  const interrupted: Interrupted[] = []
  for (const id of await store.openIds()) {
    if (signal?.aborted) break
    const found = await quietly(() => examine(store, id, choose))
    if (!found) continue
    const { project, title, stage, aside } = found
    interrupted.push({ id, title, stage: stage.name })
    for (const one of aside) await quietly(() => setAside(project, one))
  }
  return interrupted
}

/**
 * At the end of a stop: what had to be killed could not write down itself that it was interrupted. What the signal
 * cuts off the next start finds by itself.
 */
export async function noteInterrupted(layout: DataLayout, signal?: AbortSignal): Promise<void> {
  const store = createProjectStore(layout)
  await look(store, whatRan, signal)
  for (const id of await store.openIds()) {
    if (signal?.aborted) return
    await quietly(() => catchUp(store, id))
  }
  await cleanOpenProjects(store, (pid) => pid !== process.pid, signal) // requests are still answered
}

/** One project that cannot be read or written keeps neither the others nor the boot waiting. */
async function quietly<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch {
    return undefined // the reconciler, or the worker that takes the stage up, reports it
  }
}

type Found = { project: Project; title: string; stage: StageState; aside: StageState[] }

async function examine(store: ProjectStore, id: string, choose: Choice): Promise<Found | undefined> {
  const project = await store.open(id)
  const { status, title } = project.read().state
  if (ENDED.has(status)) return undefined
  const left = leftBehind(project, store.layout)
  const aside = choose(project, left)
  const stage = left[0] ?? aside[0]
  return stage && { project, title, stage, aside }
}

/** A process that ended between a record and the state file has left the file behind; nobody writes any more but us. */
async function catchUp(store: ProjectStore, id: string): Promise<void> {
  const project = await store.open(id)
  const { status, revision } = project.read().state
  if (ENDED.has(status)) await store.closeMarker(id)
  else if ((await readStateFile(project.paths.state))?.revision !== revision) await project.refresh()
}

/** The stages that were running or had been checkpointed, and that no living worker holds. */
function leftBehind(project: Project, layout: DataLayout): StageState[] {
  const folded = project.read()
  return folded.state.stages.filter((stage) => {
    if (stage.status === 'waiting') return stage.reason === 'interrupted'
    const owner = folded.internals[stage.name]?.owner
    return stage.status === 'running' && !(owner && isLeaseHeld(layout.leases, owner))
  })
}

/** In the name of the dead owner, whose claim is the one that stands, or of nobody when there was none yet. */
async function setAside(project: Project, { name, status, error }: StageState): Promise<void> {
  if (status === 'pending') await queueStage(project, name, true)
  const fence = project.read().internals[name]?.fence ?? null
  await project.append({ type: 'released', stage: name, fence, reason: 'interrupted', ...(error && { error }) })
}
