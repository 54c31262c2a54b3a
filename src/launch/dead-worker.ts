/** After a worker's death: its jobs go back at once, and the stages that may have caused it are noted first. */
import type { Config } from '../config.ts'
import { removeTemps } from '../lib/files.ts'
import type { MemoryKills } from '../lib/memory-kills.ts'
import { findStage } from '../project/folded.ts'
import type { WorkerExit } from '../project/records.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import { removeDeadWork } from '../project/work.ts'
import { blame, exitOf, isOwnEnd, type WorkerDeath } from '../queue/blame.ts'
import type { Dispatcher } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import type { SupervisorFact } from '../supervisor/facts.ts'
import type { LaunchFact } from './facts.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { Phase } from './phase.ts'

export type DeadWorkerDeps = {
  workers: Config['workers']
  held: HeldJobs
  memory: Pick<MemoryKills, 'justNow'>
  service: { store: ProjectStore; dispatcher: Dispatcher; announce: (project: Project) => Promise<void> }
  onFact: (fact: LaunchFact) => void
  phase: Phase
}

export type ChildExit = Extract<SupervisorFact, { type: 'child_exited' }>

export async function takeJobsBack(deps: DeadWorkerDeps, exit: ChildExit): Promise<void> {
  const { pid } = exit
  const worker = exit.name.replace(/\.(next|old)$/, '') // while it was being replaced
  const group = deps.workers.find(({ name }) => name === worker.replace(/-\d+$/, ''))
  if (!group || pid === null) return // Redis or the scheduler, or it never began: it held no jobs
  const { jobs, lastTask } = deps.held.bury(pid)
  const death: WorkerDeath = { ...exit, worker, lastTask, outOfMemory: deps.memory.justNow() }
  // The record comes first: whoever takes the job next has to see that it must be alone.
  // A full disk, or a project deleted meanwhile, leaves it unsaid: then the stage simply runs again.
  if (isOwnEnd(death)) await noteCrash(deps, jobs, death).catch(() => {})
  const { dispatcher } = deps.service
  // What cannot be taken back now (Redis is away too), the reconciler finds by the dead owner's claim.
  const back = await Promise.all(jobs.map((job) => dispatcher.takeBack(job).catch(() => false)))
  const unheard = await dispatcher.takeBackFrom(group.queues, pid).catch(() => 0)
  for (const job of jobs) void cleanUp(deps.service.store, job, pid).catch(() => {}) // what is left costs room only
  if (deps.phase === 'stopping') return // nobody is left who could go on with them now
  deps.onFact({ type: 'jobs_taken_back', worker, jobs: back.filter(Boolean).length + unheard })
}

/** A stage that has ended is not begun again, so nobody else would come for what its attempt left. */
async function cleanUp(store: ProjectStore, { projectId, stage }: HeldJob, pid: number): Promise<void> {
  const project = await store.open(projectId)
  await removeDeadWork(project, stage)
  await removeTemps(project.paths.folder, (owner) => owner === pid)
}

type Claimed = HeldJob & { project: Project; fence: string }

async function noteCrash(deps: DeadWorkerDeps, jobs: readonly HeldJob[], death: WorkerDeath): Promise<void> {
  const { store } = deps.service
  const found = await Promise.all(
    jobs.map((job) => standingOf(store, job, death.pid).catch(() => orphanIf(job.running))),
  )
  const orphans = found.filter((standing) => standing === 'orphan').length
  const claims = found.filter((standing) => typeof standing === 'object')
  const { charged, suspects } = blame(claims, death, orphans)
  const exit = exitOf(death)
  const noted = await Promise.allSettled([
    ...(charged ? [charge(deps, charged, exit)] : []),
    ...suspects.map((job) => append(deps, job, { type: 'crashed', exit, charged: false })),
  ])
  const failed = noted.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

/** `orphan`: cancelled or begun anew elsewhere, and its code, which may not have heard of it yet, had not returned. */
type Standing = Claimed | 'orphan' | 'ended'

/** The journal knows what really ran: a job may have ended, or not begun, since its worker was heard of last. */
async function standingOf(store: ProjectStore, job: HeldJob, pid: number | null): Promise<Standing> {
  const project = await store.open(job.projectId)
  const folded = project.read()
  const { fence = null, owner = null } = folded.internals[job.stage] ?? {}
  const status = findStage(folded, job.stage)?.status
  if (status === 'running' && fence !== null && owner?.pid === pid) return { ...job, project, fence }
  return orphanIf(job.running && status !== 'completed')
}

function orphanIf(mayRun: boolean): 'orphan' | 'ended' {
  return mayRun ? 'orphan' : 'ended'
}

/** The first time the stage runs again, alone; the second time it is poison. In the dead worker's name, whose claim stands. */
async function charge(deps: DeadWorkerDeps, job: Claimed, exit: WorkerExit): Promise<void> {
  const { deaths } = job.project.read().internals[job.stage]!
  const exits = [...deaths, exit]
  const about = { worker: exit.worker, project: job.projectId, stage: job.stage, reason: exit.reason }
  if (exits.length < MAX_DEATHS) await append(deps, job, { type: 'crashed', exit, charged: true })
  else await append(deps, job, { type: 'failed', error: poison(job.stage, exits), retry_at: null })
  deps.onFact({ type: 'death_charged', ...about, deaths: exits.length, failed: exits.length >= MAX_DEATHS })
}

/** One may be chance. */
const MAX_DEATHS = 2

function poison(stage: string, exits: readonly WorkerExit[]) {
  const words = exits.map(({ worker, reason }) => `${worker} ${reason}`).join(', then ')
  return { code: 'poison', message: `${stage} ended its worker twice: ${words}`, details: { exits } }
}

type Note =
  | { type: 'crashed'; exit: WorkerExit; charged: boolean }
  | { type: 'failed'; error: ReturnType<typeof poison>; retry_at: null }

async function append(deps: DeadWorkerDeps, { project, stage, fence }: Claimed, note: Note): Promise<void> {
  await project.append({ ...note, stage, fence })
  void deps.service.announce(project)
}
