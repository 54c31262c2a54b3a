/** What a run leaves in the middle: named at boot, and with RESUME=off, or at a stop, written down as interrupted. */
import type { DataLayout } from '../project/layout.ts'
import { isLeaseHeld } from '../project/lease.ts'
import { cleanOpenProjects } from '../project/leftovers.ts'
import { ENDED, type StageState } from '../project/project.ts'
import { readStateFile } from '../project/state-file.ts'
import { createProjectStore, type Project, type ProjectStore } from '../project/store.ts'

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
  return look(store, how)
}

async function look(store: ProjectStore, { resume, signal }: Omit<ResumeFacts, 'layout'>): Promise<Interrupted[]> {
  const interrupted: Interrupted[] = []
  for (const id of await store.openIds()) {
    if (signal?.aborted) break
    const found = await quietly(() => examine(store, id))
    if (!found) continue
    const { project, title, stage } = found
    interrupted.push({ id, title, stage: stage.name })
    if (resume === 'off' && stage.status === 'running') await quietly(() => setAside(project, stage.name))
  }
  return interrupted
}

/**
 * At the end of a stop: what had to be killed could not write down itself that it was interrupted. What the signal
 * cuts off the next start finds by itself.
 */
export async function noteInterrupted(layout: DataLayout, signal?: AbortSignal): Promise<void> {
  const store = createProjectStore(layout)
  await look(store, { resume: 'off', signal })
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

type Found = { project: Project; title: string; stage: StageState }

async function examine(store: ProjectStore, id: string): Promise<Found | undefined> {
  const project = await store.open(id)
  const { status, title } = project.read().state
  const stage = ENDED.has(status) ? undefined : leftBehind(project, store.layout)
  return stage && { project, title, stage }
}

/** A process that ended between a record and the state file has left the file behind; nobody writes any more but us. */
async function catchUp(store: ProjectStore, id: string): Promise<void> {
  const project = await store.open(id)
  const { status, revision } = project.read().state
  if (ENDED.has(status)) await store.closeMarker(id)
  else if ((await readStateFile(project.paths.state))?.revision !== revision) await project.refresh()
}

/** The stage that was running or had been checkpointed, and that no living worker holds. */
function leftBehind(project: Project, layout: DataLayout): StageState | undefined {
  const folded = project.read()
  return folded.state.stages.find((stage) => {
    if (stage.status === 'waiting') return stage.reason === 'interrupted'
    const owner = folded.internals[stage.name]?.owner
    return stage.status === 'running' && !(owner && isLeaseHeld(layout.leases, owner))
  })
}

/** In the name of the dead owner, whose claim is the one that stands. */
async function setAside(project: Project, stage: string): Promise<void> {
  const fence = project.read().internals[stage]?.fence
  if (fence) await project.append({ type: 'released', stage, fence, reason: 'interrupted' })
}
