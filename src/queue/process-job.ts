/** One job's life: look at the journal, claim, run, and do what the outcome asks for. */

import type { Config } from '../config.ts'
import { isDiskError, messageOf, toAppError } from '../lib/errors.ts'
import { createScope, endPrograms, runInScope } from '../lib/job-scope.ts'
import type { Log } from '../lib/log.ts'
import type { Drain, Outcome, RunRequest } from '../pipelines/attempt-run.ts'
import { recordEscape } from '../pipelines/conclude.ts'
import type { Registry } from '../pipelines/registry.ts'
import { runStage } from '../pipelines/run.ts'
import type { Attempt } from '../project/attempt.ts'
import { claimStage } from '../project/claim.ts'
import { findStage } from '../project/folded.ts'
import { type CallLedger, createLedger } from '../project/ledger.ts'
import type { ClaimOwner } from '../project/records.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import type { Providers } from '../providers/pick.ts'
import type { UsageRecord } from '../providers/provider.ts'
import { QUEUES, type QueueName } from '../settings.ts'
import { isClockBehind } from './clock.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { JobData } from './job.ts'
import type { Live } from './live.ts'
import { advance, demoteDamaged } from './plan.ts'
import type { Solitude } from './solitude.ts'

export type ProcessDeps = {
  store: ProjectStore
  registry: Registry
  dispatcher: Dispatcher
  providersFor: (about: ProviderNeeds) => Providers
  live: Live
  /** Who claims: this process. */
  owner: Omit<ClaimOwner, 'token'>
  isHeld: (owner: ClaimOwner) => boolean
  limits: { softS: number; hardS: number }
  /** `off`: what is interrupted waits for the user, also when a Redis that came late still has its job. */
  resume: Config['resume']
  log: Log
  /** Hides secrets. */
  clean: (text: string) => string
  drain: Drain
  onNudge: (projectId: string, listener: () => void) => () => void
  /** The way into this process for stages, past which a suspect of a crash is alone. */
  solitude: Solitude
}

/** In whose name a stage is claimed, who has to know that it was and how long it may run, and whether other processes serve its queue. */
export type JobClaim = { token: string; onRunning: () => void; onClock: RunRequest['onClock']; hasPeers: boolean }

export type ProviderNeeds = { nice: number; ledger: CallLedger; record: (call: UsageRecord) => void }

/**
 * What the queue has to do with the job: forget it, put it back now or later, or end this process.
 * `outcome` says how the stage ended, if it ran.
 */
export type Verdict = { outcome?: Outcome['kind'] } & (
  | { kind: 'done' }
  | { kind: 'back' }
  | { kind: 'delay'; dueMs: number }
  | { kind: 'stuck' }
)

export async function processJob(deps: ProcessDeps, data: JobData, claim: JobClaim): Promise<Verdict> {
  try {
    return await takeJob(deps, data, claim)
  } catch (error) {
    if (toAppError(error).code === 'not_found') return { kind: 'done' } // the project was deleted, before or meanwhile
    if (!isDiskError(error)) throw error
    deps.log.warn({ ...data, error: messageOf(error) }, 'the disk refuses; the job is looked at again later')
    return laterIn(DISK_MS)
  }
}

async function takeJob(deps: ProcessDeps, data: JobData, claim: JobClaim): Promise<Verdict> {
  const project = await openOwn(deps, data)
  if (!project) return { kind: 'done' }
  if (isSetAside(deps, project, data)) return { kind: 'done' }
  if (await demoteDamaged(project)) return goOn(deps, project)
  const dueMs = retryDueMs(project, data)
  if (dueMs > Date.now()) return { kind: 'delay', dueMs }
  const { alone = false, fence = null } = project.read().internals[data.stage] ?? {}
  const suspect = alone ? fence : null // by its last attempt: another crash is another matter
  if (suspect !== null && claim.hasPeers && deps.solitude.isBetterElsewhere(suspect)) return laterIn(SENT_ON_MS)
  const leave = await deps.solitude.enter(alone)
  if (!leave) return { kind: 'back' }
  try {
    return await perform(deps, project, { data, claim })
  } finally {
    leave()
  }
}

type Taken = { data: JobData; claim: JobClaim }

async function perform(deps: ProcessDeps, project: Project, { data, claim }: Taken): Promise<Verdict> {
  const { stage, taskId } = data
  const owner = { ...deps.owner, token: claim.token }
  const attempt = await claimStage(project, { stage, taskId, owner, isHeld: deps.isHeld })
  if (typeof attempt === 'string') {
    deps.log.debug({ project_id: data.projectId, stage, why: attempt }, 'nothing to do for this job')
    return attempt === 'held' ? laterIn(HELD_MS) : { kind: 'done' }
  }
  // From here on the claim stands: whatever is thrown has to become a record, or the end of this process.
  const log = deps.log.child({ project_id: data.projectId, stage })
  const { drain, clean } = deps
  const outcome = await runClaimed(deps, attempt, { data, claim }).catch((error) =>
    recordEscape({ attempt, drain, log, clean }, error),
  )
  const verdict = await settle(deps, attempt, outcome)
  await announce(deps, project)
  return { ...verdict, outcome: outcome.kind }
}

async function runClaimed(deps: ProcessDeps, attempt: Attempt, { data, claim }: Taken): Promise<Outcome> {
  claim.onRunning()
  await announce(deps, attempt.project)
  const scope = createScope(data.taskId) // by it a debugger finds the job, and its end its programs
  const watch = { endPrograms: () => endPrograms(scope), onClock: claim.onClock }
  try {
    return await runInScope(scope, () => performAttempt(deps, attempt, watch))
  } finally {
    watch.endPrograms() // whatever was thrown: no limit applies to them any more
  }
}

/** What viewers hear, or do not hear, changes nothing for the stage. */
async function announce({ live, log }: ProcessDeps, project: Project): Promise<void> {
  try {
    await live.announce(project)
  } catch (error) {
    log.debug({ project_id: project.id, error: messageOf(error) }, 'the viewers could not be told')
  }
}

/** A job in another's name is none of ours. */
async function openOwn(deps: ProcessDeps, data: JobData): Promise<Project | undefined> {
  const project = await deps.store.open(data.projectId)
  if (project.read().state.owner === data.owner) return project
  deps.log.warn({ project_id: data.projectId, owner: data.owner }, 'refused a job in the name of another owner')
  return undefined
}

function isSetAside({ resume }: ProcessDeps, project: Project, { stage: name }: JobData): boolean {
  if (resume === 'auto') return false
  const stage = findStage(project.read(), name)
  return stage?.status === 'waiting' && stage.reason === 'interrupted'
}

function retryDueMs(project: Project, data: JobData): number {
  const { state } = project.read()
  if (isClockBehind(state, Date.now())) return 0
  const stage = state.stages.find((s) => s.name === data.stage)
  return stage?.retry_at && stage.task_id === data.taskId ? Date.parse(stage.retry_at) : 0
}

type Watch = Pick<RunRequest, 'endPrograms' | 'onClock'>

async function performAttempt(deps: ProcessDeps, attempt: Attempt, watch: Watch): Promise<Outcome> {
  const { id, pipeline } = attempt.project.read().state
  const stage = deps.registry.get(pipeline)?.stages.find((s) => s.name === attempt.stage)
  const log = deps.log.child({ project_id: id, stage: attempt.stage, attempt: attempt.number })
  if (!stage) return unknownStage(attempt, pipeline)
  const nice = QUEUES[stage.queue as QueueName].nice
  log.info({}, 'stage started')
  return runStage({
    attempt,
    stage,
    nice,
    log,
    providers: deps.providersFor({ nice, ledger: createLedger(attempt), record: (call) => note(attempt, call, log) }),
    limits: { softS: stage.softTimeLimitS ?? deps.limits.softS, hardS: stage.timeLimitS ?? deps.limits.hardS },
    drain: deps.drain,
    clean: deps.clean,
    ...watch,
    onNudge: (listener) => deps.onNudge(id, listener),
    live: await deps.live.open(attempt),
  })
}

/** A call that was made is written down beside the work; a superseded attempt's are its own loss. */
function note(attempt: Attempt, { usage, ...call }: UsageRecord, log: Log): void {
  attempt
    .spent(usage, call)
    .catch((error) => log.warn({ ...call, usage, error: messageOf(error) }, 'a call was not recorded'))
}

async function unknownStage(attempt: Attempt, pipeline: string): Promise<Outcome> {
  const error = {
    code: 'not_found',
    message: `The pipeline ${pipeline} has no stage ${attempt.stage} any more, or its file could not be loaded`,
  }
  await attempt.fail(error, null)
  return { kind: 'failed', error }
}

async function settle(deps: ProcessDeps, attempt: Attempt, outcome: Outcome): Promise<Verdict> {
  const { id } = attempt.project
  deps.log.info(
    { project_id: id, stage: attempt.stage, outcome: outcome.kind, error: errorOf(outcome) },
    `stage ${outcome.kind}`,
  )
  if (outcome.kind === 'stuck') return { kind: 'stuck' }
  if (outcome.kind === 'retry') return { kind: 'delay', dueMs: Date.parse(outcome.dueAt) }
  // First in the queue again, for another process: this one takes nothing any more.
  if (outcome.kind === 'released' && outcome.reason === 'recycle') return { kind: 'back' }
  if (outcome.kind === 'failed' || outcome.kind === 'released') return { kind: 'done' }
  return goOn(deps, attempt.project)
}

/** Queues what comes next now; should this process die before it, the reconciler does it. */
async function goOn(deps: ProcessDeps, project: Project): Promise<Verdict> {
  const next = await advance(project)
  if (next) await deps.dispatcher.enqueue([next])
  return { kind: 'done' }
}

function errorOf(outcome: Outcome): string | undefined {
  return 'error' in outcome ? outcome.error.message : undefined
}

/** A suspect of a crash: the process that it came from is about to be back, with nothing in it. */
const SENT_ON_MS = 250
/** A job whose lock was lost while its stage runs: it stays until the process that has the stage fetches it, or the stage ends. */
const HELD_MS = 1_000

/** A disk that refuses: what the job is about cannot be read, or its claim not written. */
const DISK_MS = 2_000

function laterIn(ms: number): Verdict {
  return { kind: 'delay', dueMs: Date.now() + ms }
}
