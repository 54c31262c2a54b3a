/** What people and programs can ask of a project. Every change is a record first and a job second. */
import { AppError } from '../lib/errors.ts'
import type { Catalog } from '../project/catalog.ts'
import { ACTIVE, ENDED, type ProjectState, type StageState } from '../project/project.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import type { QueueName } from '../settings.ts'
import { type AdmissionDeps, findPipeline, parseInput, refuseMissingPrograms } from './admission.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { WakeUp } from './job.ts'
import { advance, damagedStages, demoteDamaged, type Execution, executeStage } from './plan.ts'

export type CreateRequest = {
  /** Chosen by the caller, so that a repeated request makes one project. */
  id: string
  pipeline: string
  input: unknown
  title?: string
  autostart: boolean
  owner: string
}

/** `delayed`: the folder knows; the queue will be told when Redis is back. */
export type CommandAnswer = { state: ProjectState; dispatch: 'queued' | 'delayed' }

export type TaskAnswer = CommandAnswer & { taskId: string }

export type Commands = {
  create(request: CreateRequest): Promise<CommandAnswer>
  start(id: string): Promise<CommandAnswer>
  resume(id: string): Promise<CommandAnswer>
  cancel(id: string): Promise<CommandAnswer>
  rerun(id: string, stage: string, options: { andFollowing: boolean }): Promise<CommandAnswer>
  /**
   * Runs one stage alone with an input of its own. Throws `wrong_state` while any stage is on its way, and
   * `artifact_missing` when files of an earlier one are gone.
   */
  executeStage(id: string, request: Execution): Promise<TaskAnswer>
  remove(id: string): Promise<void>
}

export type CommandDeps = AdmissionDeps & {
  store: ProjectStore
  catalog: Catalog
  dispatcher: Dispatcher
  /** Tells the workers to look at this project's journal now. */
  nudge: (projectId: string) => void
  /** Tells viewers the statuses that the journal holds. */
  announce: (project: Project) => Promise<void>
}

export function createCommands(deps: CommandDeps): Commands {
  return {
    create: (request) => create(deps, request),
    start: (id) => start(deps, id),
    resume: (id) => resume(deps, id),
    cancel: (id) => cancel(deps, id),
    rerun: (id, stage, { andFollowing }) => rerun(deps, id, { stage, andFollowing }),
    executeStage: (id, request) => execute(deps, id, request),
    remove: (id) => remove(deps, id),
  }
}

async function create(deps: CommandDeps, request: CreateRequest): Promise<CommandAnswer> {
  const pipeline = findPipeline(deps.registry, request.pipeline)
  await refuseMissingPrograms(deps, pipeline.name)
  const input = await parseInput(pipeline, request.input)
  const stages = pipeline.stages.map(({ name, queue }) => ({ name, queue }))
  const title = request.title ?? pipeline.titleOf?.(input) ?? pipeline.name
  const project = await deps.store.create({ ...request, title, input, stages })
  deps.catalog.note(project.id)
  return dispatch(deps, project, request.autostart ? await advance(project) : undefined)
}

async function start(deps: CommandDeps, id: string): Promise<CommandAnswer> {
  const project = await deps.store.open(id)
  const { status } = project.read().state
  if (ACTIVE.has(status)) return keepGoing(deps, project)
  if (status !== 'pending') throw wrongState(id, status, 'only a pending project can be started; use resume')
  return goOn(deps, project)
}

async function resume(deps: CommandDeps, id: string): Promise<CommandAnswer> {
  const project = await deps.store.open(id)
  if (ACTIVE.has(project.read().state.status)) return keepGoing(deps, project)
  const damaged = await demoteDamaged(project)
  const { status } = project.read().state
  if (status === 'completed' && !damaged) throw wrongState(id, status, 'there is nothing left to do')
  return goOn(deps, project)
}

async function cancel(deps: CommandDeps, id: string): Promise<CommandAnswer> {
  const project = await deps.store.open(id)
  const before = project.read().state
  if (before.status === 'cancelled') return dispatch(deps, project, undefined)
  if (ENDED.has(before.status)) throw wrongState(id, before.status, 'it has ended')
  await project.append({ type: 'cancelled' })
  deps.nudge(id)
  await Promise.all(waitingJobs(before.stages).map((job) => deps.dispatcher.withdraw(job)))
  return dispatch(deps, project, undefined)
}

type Rerun = { stage: string; andFollowing: boolean }

async function rerun(deps: CommandDeps, id: string, { stage, andFollowing }: Rerun): Promise<CommandAnswer> {
  const project = await deps.store.open(id)
  const { status, pipeline } = project.read().state
  requireStage(project, stage)
  if (ACTIVE.has(status)) throw wrongState(id, status, 'wait for it, or cancel it first')
  await refuseMissingPrograms(deps, pipeline)
  await project.append({ type: 'rerun', stage, and_following: andFollowing })
  return dispatch(deps, project, await advance(project))
}

async function execute(deps: CommandDeps, id: string, request: Execution): Promise<TaskAnswer> {
  const project = await deps.store.open(id)
  const { status, pipeline } = project.read().state
  requireStage(project, request.stage)
  const known = request.requestId === null ? undefined : project.read().requests[request.requestId]
  if (known !== undefined) return { ...(await dispatch(deps, project, undefined)), taskId: known }
  if (ACTIVE.has(status)) throw wrongState(id, status, 'wait for it, or cancel it first')
  await refuseMissingPrograms(deps, pipeline)
  refuseLostFiles(project, request.stage)
  await demoteDamaged(project) // its own files, and those of later stages
  const wakeUp = await executeStage(project, request)
  if (!wakeUp) throw wrongState(id, project.read().state.status, 'another request was faster')
  return { ...(await dispatch(deps, project, wakeUp)), taskId: wakeUp.taskId }
}

/**
 * Throws `artifact_missing` when an earlier stage has lost files: it would have to run first, and nothing follows on a
 * stage that is executed alone. Nothing is changed, so that asking once more has the same answer.
 */
function refuseLostFiles(project: Project, stage: string): void {
  const [lost] = damagedStages(project, stage)
  if (!lost) return
  const words = `${lost.missing.join(', ')} of the stage ${lost.stage} is gone from the disk`
  throw new AppError('artifact_missing', `${words}; resume makes it again`, { details: lost })
}

function requireStage(project: Project, stage: string): void {
  const { stages } = project.read().state
  if (!stages.some((s) => s.name === stage)) throw new AppError('not_found', `This project has no stage ${stage}`)
}

async function remove(deps: CommandDeps, id: string): Promise<void> {
  const project = await deps.store.open(id)
  const { status } = project.read().state
  if (ACTIVE.has(status)) throw wrongState(id, status, 'cancel it first')
  await deps.store.remove(id)
  await deps.catalog.forget(id)
}

/** Changes nothing, except between two stages: what comes next anyway is queued now, whoever has left it undone. */
async function keepGoing(deps: CommandDeps, project: Project): Promise<CommandAnswer> {
  return dispatch(deps, project, await advance(project))
}

async function goOn(deps: CommandDeps, project: Project): Promise<CommandAnswer> {
  await refuseMissingPrograms(deps, project.read().state.pipeline)
  await project.append({ type: 'reopened' })
  return dispatch(deps, project, await advance(project))
}

async function dispatch(deps: CommandDeps, project: Project, wakeUp: WakeUp | undefined): Promise<CommandAnswer> {
  const sent = wakeUp === undefined || (await deps.dispatcher.enqueue([wakeUp]))
  void deps.announce(project)
  return { state: project.read().state, dispatch: sent ? 'queued' : 'delayed' }
}

function wrongState(id: string, status: string, hint: string): AppError {
  return new AppError('wrong_state', `Project ${id} is ${status}: ${hint}`, { details: { status } })
}

function waitingJobs(stages: StageState[]): { queue: QueueName; taskId: string }[] {
  return stages.flatMap((s) =>
    s.status === 'queued' && s.task_id ? [{ queue: s.queue as QueueName, taskId: s.task_id }] : [],
  )
}
