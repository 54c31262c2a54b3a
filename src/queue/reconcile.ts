/** Compares open projects with the queues, and adds what no job stands for. Cheap: only markers are read. */
import { readdir } from 'node:fs/promises'
import { errnoOf, messageOf, toAppError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { type Folded, findStage } from '../project/folded.ts'
import { projectLayout } from '../project/layout.ts'
import { isYoung } from '../project/markers.ts'
import { ENDED } from '../project/project.ts'
import type { ClaimOwner } from '../project/records.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import { isClockBehind } from './clock.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { WakeUp } from './job.ts'
import { advance, type PlanFacts, wakeUpFor } from './plan.ts'

export type ReconcileDeps = {
  store: ProjectStore
  dispatcher: Dispatcher
  facts: PlanFacts
  log: Log
  /** Its process may have died just now: then the supervisor notes first who may have caused it, and puts the job back. */
  isLeftToSupervisor?: (owner: ClaimOwner) => boolean
}

/** What one look at all open projects found; `added` are the jobs that were missing. */
export type ReconcileReport = { open: number; added: number; takenBack: number }

/** By project: why it could not be looked after last, so that this is said once and not at every look. */
export type Troubles = Map<string, string>

/** Throws when Redis is away; the next look then does the work. A project in trouble keeps no other one waiting. */
export async function reconcile(deps: ReconcileDeps, troubles: Troubles = new Map()): Promise<ReconcileReport> {
  const wanted: WakeUp[] = []
  let takenBack = 0
  const ids = await deps.store.openIds()
  for (const id of ids) {
    const plan = await planQuietly(deps, id, troubles)
    if (!plan) continue
    wanted.push(plan.wakeUp)
    if (await takeBackLost(deps, plan)) takenBack++
    if (isClockBehind(plan.folded.state, deps.facts.nowMs())) await hasten(deps, plan.wakeUp)
  }
  forgetOthers(troubles, ids)
  const missing = wanted.length > 0 ? await deps.dispatcher.missing(wanted) : []
  if (missing.length > 0 && !(await deps.dispatcher.enqueue(missing))) throw new Error('Redis went away')
  return { open: ids.length, added: missing.length, takenBack }
}

type Plan = { wakeUp: WakeUp; folded: Folded }

/** What the project needs, or undefined: also when its folder cannot be read or written. */
async function planQuietly(deps: ReconcileDeps, id: string, troubles: Troubles): Promise<Plan | undefined> {
  try {
    const project = await openOpen(deps, id)
    const wakeUp = project && (wakeUpFor(project, deps.facts) ?? (await advance(project)))
    troubles.delete(id)
    return wakeUp && { wakeUp, folded: project.read() }
  } catch (error) {
    if (toAppError(error).code !== 'not_found') report(deps, troubles, { id, error }) // else deleted this very moment
    return undefined
  }
}

function report({ log }: ReconcileDeps, troubles: Troubles, { id, error }: { id: string; error: unknown }): void {
  const reason = errnoOf(error) ?? messageOf(error) // a message may name a temp file, another one each time
  if (troubles.get(id) !== reason) log.warn({ project_id: id, error: messageOf(error) }, 'a project cannot go on')
  troubles.set(id, reason)
}

/** Opens an open project; a marker of nothing, or of an ended project, is what a crash left behind. */
async function openOpen({ store }: ReconcileDeps, id: string): Promise<Project | undefined> {
  try {
    const project = await store.open(id)
    if (!ENDED.has(project.read().state.status)) return project
  } catch (error) {
    if (toAppError(error).code !== 'not_found') throw error
  }
  if (await areAllAway(store, id)) throw new Error(ALL_AWAY)
  await store.closeMarker(id)
  return undefined
}

const ALL_AWAY =
  'The folder of all projects is empty, although projects are open: is its volume not mounted? Nothing is cleaned up'

/** Then a marker says more than the folders do; one project in creation has no folder yet. */
async function areAllAway({ layout }: ProjectStore, id: string): Promise<boolean> {
  if (await isYoung(projectLayout(layout, id).marker)) return false
  const folders = await readdir(layout.projects).catch((error) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  return folders.length === 0
}

function forgetOthers(troubles: Troubles, ids: readonly string[]): void {
  const open = new Set(ids)
  for (const id of troubles.keys()) if (!open.has(id)) troubles.delete(id)
}

/** A job that a dead worker still holds in the queue goes back at once instead of waiting for its lock to end. */
async function takeBackLost(deps: ReconcileDeps, { wakeUp, folded }: Plan): Promise<boolean> {
  const { dispatcher, facts, isLeftToSupervisor } = deps
  const stage = findStage(folded, wakeUp.stage)
  const owner = folded.internals[wakeUp.stage]?.owner
  if (!owner || facts.isHeld(owner) || isLeftToSupervisor?.(owner)) return false
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
