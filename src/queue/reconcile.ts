/** Compares open projects with the queues, and adds what no job stands for. Cheap: only markers are read. */
import { messageOf, toAppError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { ENDED } from '../project/project.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import { isClockBehind } from './clock.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { WakeUp } from './job.ts'
import { advance, type PlanFacts, wakeUpFor } from './plan.ts'

export type ReconcileDeps = { store: ProjectStore; dispatcher: Dispatcher; facts: PlanFacts; log: Log }

/** What one look at all open projects found; `added` are the jobs that were missing. */
export type ReconcileReport = { open: number; added: number; takenBack: number }

/** Throws when Redis is away; the next look then does the work. */
export async function reconcile(deps: ReconcileDeps): Promise<ReconcileReport> {
  const wanted: WakeUp[] = []
  let takenBack = 0
  const ids = await deps.store.openIds()
  for (const id of ids) {
    const project = await openQuietly(deps, id)
    if (!project) continue
    const wakeUp = wakeUpFor(project, deps.facts) ?? (await advance(project))
    if (wakeUp) wanted.push(wakeUp)
    if (wakeUp && (await takeBackLost(deps, project, wakeUp))) takenBack++
    if (wakeUp && isClockBehind(project.read().state, deps.facts.nowMs())) await hasten(deps, wakeUp)
  }
  const missing = wanted.length > 0 ? await deps.dispatcher.missing(wanted) : []
  if (missing.length > 0 && !(await deps.dispatcher.enqueue(missing))) throw new Error('Redis went away')
  return { open: ids.length, added: missing.length, takenBack }
}

/** Opens an open project; a marker of nothing, or of an ended project, is what a crash left behind. */
async function openQuietly(deps: ReconcileDeps, id: string): Promise<Project | undefined> {
  try {
    const project = await deps.store.open(id)
    if (!ENDED.has(project.read().state.status)) return project
    await deps.store.closeMarker(id)
  } catch (error) {
    if (toAppError(error).code === 'not_found') await deps.store.closeMarker(id)
    else deps.log.warn({ project_id: id, error: messageOf(error) }, 'a project cannot be read')
  }
  return undefined
}

/** A job that a dead worker still holds in the queue goes back at once instead of waiting for its lock to end. */
async function takeBackLost({ dispatcher, facts }: ReconcileDeps, project: Project, wakeUp: WakeUp): Promise<boolean> {
  const folded = project.read()
  const stage = folded.state.stages.find((s) => s.name === wakeUp.stage)
  const owner = folded.internals[wakeUp.stage]?.owner
  if (!owner || facts.isHeld(owner)) return false
  if (stage?.status !== 'running' && stage?.status !== 'queued') return false // queued: after a crash of its worker
  try {
    return await dispatcher.takeBack({ queue: wakeUp.queue, taskId: wakeUp.taskId, token: owner.token })
  } catch {
    return false // it is not active any more: somebody else was faster
  }
}

/** One that is not in the queue yet is added without a delay. */
async function hasten({ dispatcher }: ReconcileDeps, wakeUp: WakeUp): Promise<void> {
  if (wakeUp.dueMs === 0) return
  wakeUp.dueMs = 0
  await dispatcher.promote(wakeUp)
}
