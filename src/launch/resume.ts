/** At boot: what was interrupted goes on, or, with RESUME=off, waits until somebody says so. */
import { toAppError } from '../lib/errors.ts'
import { ENDED } from '../project/project.ts'
import type { Project } from '../project/store.ts'
import { reconcile, type ReconcileDeps } from '../queue/reconcile.ts'

export type Interrupted = { id: string; title: string; stage: string }

/** The projects that an earlier run left in the middle. Their jobs are in the queues when this returns. */
export async function resumeProjects(deps: ReconcileDeps): Promise<Interrupted[]> {
  const interrupted: Interrupted[] = []
  for (const id of await deps.store.openIds()) {
    const project = await openOpen(deps, id)
    const stage = project && leftBehind(project, deps)
    if (!project || !stage) continue
    interrupted.push({ id, title: project.read().state.title, stage })
    if (deps.facts.resume === 'off') await setAside(project, stage)
  }
  // Redis may be away: the scheduler's reconciler then does the same when it is back.
  await reconcile(deps).catch((error) => deps.log.debug({ error: toAppError(error).message }, 'resume comes later'))
  return interrupted
}

async function openOpen(deps: ReconcileDeps, id: string): Promise<Project | undefined> {
  try {
    const project = await deps.store.open(id)
    return ENDED.has(project.read().state.status) ? undefined : project
  } catch {
    return undefined // the reconciler reports what cannot be read
  }
}

/** The stage that was running or had been checkpointed, and that no living worker holds. */
function leftBehind(project: Project, deps: ReconcileDeps): string | undefined {
  const folded = project.read()
  return folded.state.stages.find((stage) => {
    if (stage.status === 'waiting') return stage.reason === 'interrupted'
    const owner = folded.internals[stage.name]?.owner
    return stage.status === 'running' && !(owner && deps.facts.isHeld(owner))
  })?.name
}

/** In the name of the dead owner, whose claim is the one that stands. */
async function setAside(project: Project, stage: string): Promise<void> {
  const fence = project.read().internals[stage]?.fence
  if (fence) await project.append({ type: 'released', stage, fence, reason: 'interrupted' })
}
