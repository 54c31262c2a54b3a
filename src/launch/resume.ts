/** What a run leaves in the middle: named at boot, and with RESUME=off, or at a stop, written down as interrupted. */
import type { DataLayout } from '../project/layout.ts'
import { isLeaseHeld } from '../project/lease.ts'
import { cleanOpenProjects } from '../project/leftovers.ts'
import { ENDED, type StageState } from '../project/project.ts'
import { readStateFile } from '../project/state-file.ts'
import { createProjectStore, type Project, type ProjectStore } from '../project/store.ts'

export type Interrupted = { id: string; title: string; stage: string }

export type ResumeFacts = { layout: DataLayout; resume: 'auto' | 'off' }

/**
 * The projects that an earlier run left in the middle, without what its processes left in their folders. Looked for
 * before a worker can take one of them up.
 */
export async function findInterrupted({ layout, resume }: ResumeFacts): Promise<Interrupted[]> {
  const store = createProjectStore(layout)
  await cleanOpenProjects(store, () => true)
  return look(store, { layout, resume })
}

async function look(store: ProjectStore, { layout, resume }: ResumeFacts): Promise<Interrupted[]> {
  const interrupted: Interrupted[] = []
  for (const id of await store.openIds()) {
    const project = await openOpen(store, id)
    const stage = project && leftBehind(project, layout)
    if (!project || !stage) continue
    interrupted.push({ id, title: project.read().state.title, stage: stage.name })
    if (resume === 'off' && stage.status === 'running') await setAside(project, stage.name)
  }
  return interrupted
}

/** At the end of a stop: what had to be killed could not write down itself that it was interrupted. */
export async function noteInterrupted(layout: DataLayout): Promise<void> {
  const store = createProjectStore(layout)
  await cleanOpenProjects(store, (pid) => pid !== process.pid) // requests are still answered
  await look(store, { layout, resume: 'off' })
  for (const id of await store.openIds()) await catchUp(store, id)
}

/** A process that ended between a record and the state file has left the file behind; nobody writes any more but us. */
async function catchUp(store: ProjectStore, id: string): Promise<void> {
  const project = await store.open(id).catch(() => undefined) // the reconciler reports what cannot be read
  if (!project) return
  const { status, revision } = project.read().state
  if (ENDED.has(status)) await store.closeMarker(id)
  else if ((await readStateFile(project.paths.state))?.revision !== revision) await project.refresh()
}

async function openOpen(store: ProjectStore, id: string): Promise<Project | undefined> {
  try {
    const project = await store.open(id)
    return ENDED.has(project.read().state.status) ? undefined : project
  } catch {
    return undefined // the reconciler reports what cannot be read
  }
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
