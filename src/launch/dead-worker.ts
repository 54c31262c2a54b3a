/** After a worker's death: its jobs go back at once, and the stages that may have caused it are noted first. */
import type { Config } from '../config.ts'
import { removeTemps } from '../lib/files.ts'
import type { MemoryKills } from '../lib/memory-kills.ts'
import { findStage } from '../project/folded.ts'
import type { WorkerExit } from '../project/records.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import { removeDeadWork } from '../project/work.ts'
import { type Blame, blame, exitOf, isOwnEnd, type WorkerDeath } from '../queue/blame.ts'
import type { Dispatcher } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import type { QueueName } from '../settings.ts'
import type { SupervisorFact } from '../supervisor/facts.ts'
import { isFromOutside } from '../supervisor/processes.ts'
import type { LaunchFact } from './facts.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { OutsideKills } from './outside-kills.ts'
import type { Phase } from './phase.ts'

export type DeadWorkerDeps = {
  workers: Config['workers']
  held: HeldJobs
  memory: Pick<MemoryKills, 'justNow'>
  kills: OutsideKills
  service: {
    store: ProjectStore
    dispatcher: Dispatcher
    announce: (project: Project) => Promise<void>
    /** A stage has failed. */
    noteFailure: (queue: QueueName) => void
  }
  onFact: (fact: LaunchFact) => void
  phase: Phase
}

export type ChildExit = Extract<SupervisorFact, { type: 'child_exited' }>

export async function takeJobsBack(deps: DeadWorkerDeps, exit: ChildExit): Promise<void> {
  const { pid } = exit
  const worker = exit.name.replace(/\.(next|old)$/, '') // while it was being replaced
  const group = deps.workers.find(({ name }) => name === worker.replace(/-\d+$/, ''))
  if (!group || pid === null) {
    if (isUncalledFor(exit)) deps.kills.noteForeign()
    return // Redis or the scheduler, or it never began: it held no jobs
  }
  const { jobs, lastTask } = deps.held.bury(pid)
  const death: WorkerDeath = { ...exit, worker, lastTask, outOfMemory: deps.memory.justNow() }
  // The record comes first: whoever takes the job next has to see that it must be alone.
  // A full disk, or a project deleted meanwhile, leaves it unsaid: then the stage simply runs again.
  const failed = await noteDeath(deps, jobs, { ...death, uncalledFor: isUncalledFor(exit) }).catch(() => null)
  const { dispatcher } = deps.service
  // What cannot be taken back now (Redis is away too), the reconciler finds by the dead owner's claim.
  const back = await Promise.all(
    jobs.map(async (job) => (await dispatcher.takeBack(job).catch(() => false)) && job.taskId !== failed),
  )
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

/** A kill by somebody else, and not in the course of a stop. */
function isUncalledFor(exit: ChildExit): boolean {
  return exit.wanted && isFromOutside(exit)
}

/** What has to be written down before the jobs go back. Gives the task that has failed for it, if one has. */
async function noteDeath(
  deps: DeadWorkerDeps,
  jobs: readonly HeldJob[],
  { uncalledFor, ...death }: WorkerDeath & { uncalledFor: boolean },
): Promise<string | null> {
  if (isOwnEnd(death)) {
    const { claims, orphans } = await standingsOf(deps, jobs, death.pid)
    return noteBlame(deps, blame(claims, death, orphans), death)
  }
  if (!uncalledFor) return null
  if (jobs.length === 0) {
    deps.kills.noteForeign()
    return null
  }
  const noting = noteKill(deps, jobs, death)
  if (jobs.some(({ taskId }) => deps.kills.isKnown(taskId))) return noting
  noting.catch(() => {}) // only counted: what was not hit before is nobody's doing, and need not wait for that
  return null
}

/** After so many in a row a stage is suspected, which costs nobody anything: it runs alone. */
const SUSPICIOUS_KILLS = 3
/** Nobody outside hits one stage so often in a row and nothing else: what hits it then, while it is alone, is itself. */
const PROVEN_KILLS = 10

async function noteKill(deps: DeadWorkerDeps, jobs: readonly HeldJob[], death: WorkerDeath): Promise<string | null> {
  const { claims, orphans } = await standingsOf(deps, jobs, death.pid)
  const times = deps.kills.note(claims.map(({ taskId, steps }) => ({ taskId, steps })))
  const timesOf = ({ taskId }: Claimed) => times.get(taskId) ?? 0
  const suspects = claims.filter((job) => timesOf(job) >= SUSPICIOUS_KILLS)
  const [only] = suspects
  const isAlone = claims.length === 1 && orphans === 0
  if (only && isAlone && timesOf(only) > PROVEN_KILLS) return noteBlame(deps, { charged: only, suspects: [] }, death)
  return noteBlame(deps, { charged: null, suspects }, death)
}

async function noteBlame(
  deps: DeadWorkerDeps,
  { charged, suspects }: Blame<Claimed>,
  death: WorkerDeath,
): Promise<string | null> {
  const exit = exitOf(death)
  const charging = charged ? charge(deps, charged, exit) : Promise.resolve(null)
  const noted = await Promise.allSettled([
    charging,
    ...suspects.map((job) => append(deps, job, { type: 'crashed', exit, charged: false })),
  ])
  for (const result of noted) if (result.status === 'rejected') throw result.reason
  return charging
}

type Claimed = HeldJob & { project: Project; fence: string; steps: number }
type Standings = { claims: Claimed[]; orphans: number }

async function standingsOf(deps: DeadWorkerDeps, jobs: readonly HeldJob[], pid: number | null): Promise<Standings> {
  const { store } = deps.service
  const found = await Promise.all(jobs.map((job) => standingOf(store, job, pid).catch(() => orphanIf(job.running))))
  const orphans = found.filter((standing) => standing === 'orphan').length
  return { claims: found.filter((standing) => typeof standing === 'object'), orphans }
}

/** `orphan`: cancelled or begun anew elsewhere, and its code, which may not have heard of it yet, had not returned. */
type Standing = Claimed | 'orphan' | 'ended'

/** The journal knows what really ran: a job may have ended, or not begun, since its worker was heard of last. */
async function standingOf(store: ProjectStore, job: HeldJob, pid: number | null): Promise<Standing> {
  const project = await store.open(job.projectId)
  const folded = project.read()
  const { fence = null, owner = null } = folded.internals[job.stage] ?? {}
  const { status, steps = [] } = findStage(folded, job.stage) ?? {}
  if (status === 'running' && fence !== null && owner?.pid === pid)
    return { ...job, project, fence, steps: steps.length }
  return orphanIf(job.running && status !== 'completed')
}

function orphanIf(mayRun: boolean): 'orphan' | 'ended' {
  return mayRun ? 'orphan' : 'ended'
}

/**
 * The first time the stage runs again, alone; the second time in the same place it is poison, and its task the answer.
 * In the dead worker's name, whose claim stands.
 */
async function charge(deps: DeadWorkerDeps, job: Claimed, exit: WorkerExit): Promise<string | null> {
  const { deaths, outlived } = job.project.read().internals[job.stage]!
  const exits = [...deaths, exit]
  const about = { worker: exit.worker, project: job.projectId, stage: job.stage, reason: exit.reason }
  const failed = exits.length >= MAX_DEATHS || outlived + exits.length >= MAX_DEATHS_IN_ALL
  if (failed) {
    await append(deps, job, { type: 'failed', error: poison(job.stage, exits, outlived), retry_at: null })
    deps.service.noteFailure(job.queue)
  } else await append(deps, job, { type: 'crashed', exit, charged: true })
  deps.onFact({ type: 'death_charged', ...about, deaths: outlived + exits.length, failed })
  return failed ? job.taskId : null
}

/** One may be chance. */
const MAX_DEATHS = 2
/** However far it comes in between: its worker is not there for it alone. */
const MAX_DEATHS_IN_ALL = 5

function poison(stage: string, exits: readonly WorkerExit[], outlived: number) {
  const words = exits.map(({ worker, reason }) => `${worker} ${reason}`).join(', then ')
  const often = outlived === 0 ? 'twice:' : `${outlived + exits.length} times, at last:`
  return { code: 'poison', message: `${stage} ended its worker ${often} ${words}`, details: { exits } }
}

type Note =
  | { type: 'crashed'; exit: WorkerExit; charged: boolean }
  | { type: 'failed'; error: ReturnType<typeof poison>; retry_at: null }

async function append(deps: DeadWorkerDeps, { project, stage, fence }: Claimed, note: Note): Promise<void> {
  await project.append({ ...note, stage, fence })
  void deps.service.announce(project)
}
