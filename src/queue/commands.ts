/** What people and programs can ask of a project. Every change is a record first and a job second. */
import { AppError, messageOf } from '../lib/errors.ts'
import type { PipelineDefinition } from '../pipelines/define.ts'
import type { Registry } from '../pipelines/registry.ts'
import type { Catalog } from '../project/catalog.ts'
import { ACTIVE, type ProjectState, type StageState } from '../project/project.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import type { QueueName } from '../settings.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { WakeUp } from './job.ts'
import { advance, demoteDamaged } from './plan.ts'

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

export type Commands = {
  create(request: CreateRequest): Promise<CommandAnswer>
  start(id: string): Promise<CommandAnswer>
  resume(id: string): Promise<CommandAnswer>
  cancel(id: string): Promise<CommandAnswer>
  rerun(id: string, stage: string, options: { andFollowing: boolean }): Promise<CommandAnswer>
  remove(id: string): Promise<void>
}

export type CommandDeps = {
  store: ProjectStore
  catalog: Catalog
  registry: Registry
  dispatcher: Dispatcher
  /** Programs that are not installed, with the command that installs them. */
  missingPrograms: (needs: readonly string[]) => Promise<{ program: string; hint: string }[]>
  /** Tells the workers to look at this project's journal now. */
  nudge: (projectId: string) => void
}

export function createCommands(deps: CommandDeps): Commands {
  const { store, dispatcher, nudge } = deps

  async function dispatch(project: Project, wakeUp: WakeUp | undefined): Promise<CommandAnswer> {
    const sent = wakeUp === undefined || (await dispatcher.enqueue([wakeUp]))
    return { state: project.read().state, dispatch: sent ? 'queued' : 'delayed' }
  }

  async function goOn(project: Project): Promise<CommandAnswer> {
    await refuseMissingPrograms(deps, project.read().state.pipeline)
    await project.append({ type: 'reopened' })
    return dispatch(project, await advance(project))
  }

  return {
    async create(request) {
      const pipeline = findPipeline(deps.registry, request.pipeline)
      await refuseMissingPrograms(deps, pipeline.name)
      const input = await parseInput(pipeline, request.input)
      const stages = pipeline.stages.map(({ name, queue }) => ({ name, queue }))
      const title = request.title ?? pipeline.titleOf?.(input) ?? pipeline.name
      const project = await store.create({ ...request, title, input, stages })
      deps.catalog.note(project.id)
      return dispatch(project, request.autostart ? await advance(project) : undefined)
    },

    async start(id) {
      const project = await store.open(id)
      const { status } = project.read().state
      if (ACTIVE.has(status)) return dispatch(project, undefined)
      if (status !== 'pending') throw wrongState(id, status, 'only a pending project can be started; use resume')
      return goOn(project)
    },

    async resume(id) {
      const project = await store.open(id)
      if (ACTIVE.has(project.read().state.status)) return dispatch(project, undefined)
      const damaged = await demoteDamaged(project)
      const { status } = project.read().state
      if (status === 'completed' && !damaged) throw wrongState(id, status, 'there is nothing left to do')
      return goOn(project)
    },

    async cancel(id) {
      const project = await store.open(id)
      const before = project.read().state
      if (before.status === 'cancelled') return dispatch(project, undefined)
      if (before.status === 'completed') throw wrongState(id, before.status, 'it has ended')
      await project.append({ type: 'cancelled' })
      nudge(id)
      await Promise.all(waitingJobs(before.stages).map((job) => dispatcher.withdraw(job)))
      return dispatch(project, undefined)
    },

    async rerun(id, stage, { andFollowing }) {
      const project = await store.open(id)
      const { status, stages } = project.read().state
      if (!stages.some((s) => s.name === stage)) throw new AppError('not_found', `This project has no stage ${stage}`)
      if (ACTIVE.has(status)) throw wrongState(id, status, 'wait for it, or cancel it first')
      await refuseMissingPrograms(deps, project.read().state.pipeline)
      await project.append({ type: 'rerun', stage, and_following: andFollowing })
      return dispatch(project, await advance(project))
    },

    async remove(id) {
      const project = await store.open(id)
      const { status } = project.read().state
      if (ACTIVE.has(status)) throw wrongState(id, status, 'cancel it first')
      await store.remove(id)
      await deps.catalog.forget(id)
    },
  }
}

function findPipeline(registry: Registry, name: string): PipelineDefinition {
  const pipeline = registry.get(name)
  if (pipeline) return pipeline
  const names = registry.all().map((p) => p.name)
  throw new AppError('not_found', `There is no pipeline ${name}; there are ${names.join(', ')}`)
}

async function refuseMissingPrograms(deps: CommandDeps, pipeline: string): Promise<void> {
  const needs = deps.registry.get(pipeline)?.stages.flatMap((s) => s.needs ?? []) ?? []
  const missing = needs.length > 0 ? await deps.missingPrograms([...new Set(needs)]) : []
  if (missing.length === 0) return
  const words = missing.map(({ program, hint }) => `${program} is not installed: ${hint}`)
  throw new AppError('missing_program', words.join('; '), { details: { missing } })
}

/** The pipeline's own parse decides; a Zod error's issues become pointers into the body. */
async function parseInput(pipeline: PipelineDefinition, value: unknown): Promise<unknown> {
  try {
    const input = await pipeline.input.parse(value)
    return input === undefined ? null : input
  } catch (error) {
    const errors = issuesOf(error)
    const first = errors[0]?.detail ?? messageOf(error)
    throw new AppError('invalid_value', `The input is not valid: ${first}`, { cause: error, details: { errors } })
  }
}

function issuesOf(error: unknown): { pointer: string; detail: string }[] {
  const issues = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues
  if (!Array.isArray(issues)) return [{ pointer: '/input', detail: messageOf(error) }]
  return issues.map(({ path, message }) => ({ pointer: ['/input', ...path.map(String)].join('/'), detail: message }))
}

function wrongState(id: string, status: string, hint: string): AppError {
  return new AppError('wrong_state', `Project ${id} is ${status}: ${hint}`, { details: { status } })
}

function waitingJobs(stages: StageState[]): { queue: QueueName; taskId: string }[] {
  return stages.flatMap((s) => (s.status === 'queued' && s.task_id ? [{ queue: s.queue as QueueName, taskId: s.task_id }] : []))
}
