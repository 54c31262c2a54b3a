/** Reads projects for the API: from the journals' folds, with large values put back. */
import { AppError, toAppError } from '../lib/errors.ts'
import { artifactPath } from '../project/artifacts.ts'
import { loadValue } from '../project/attempt.ts'
import type { Catalog, ListPage, ListQuery } from '../project/catalog.ts'
import type { Folded } from '../project/folded.ts'
import type { ArtifactState, ProjectState, StageState } from '../project/project.ts'
import type { Project, ProjectStore } from '../project/store.ts'
import { stageChannel } from '../redis/keys.ts'

/** A task as Celery's clients know it; `result` once it has ended. */
export type TaskView = {
  task_id: string
  project_id: string
  stage: string
  state: TaskState
  result: { success: boolean; task_id: string; channel: string; result: unknown } | null
  info: { progress: number; message: string | null; error: string | null; retries: number }
}

export type TaskState = 'PENDING' | 'STARTED' | 'PROGRESS' | 'RETRY' | 'SUCCESS' | 'FAILURE' | 'REVOKED'

export type ProjectReader = {
  read(id: string): Promise<ProjectState | undefined>
  list(query: ListQuery): Promise<ListPage>
  /** Undefined for an unknown name. Throws `artifact_missing` when the file is gone. */
  artifact(id: string, name: string): Promise<{ path: string; artifact: ArtifactState } | undefined>
  /** Undefined for a task that this project never had. */
  task(id: string, taskId: string): Promise<TaskView | undefined>
  /** The texts that its completed stages streamed, by stage. */
  texts(id: string): Promise<Record<string, string>>
  /** Where in the journal each stage's status changed last, and the project's (`*project*`). */
  revisions(id: string): Promise<Record<string, number> | undefined>
}

export function createReader(store: ProjectStore, catalog: Catalog): ProjectReader {
  async function find(id: string): Promise<Project | undefined> {
    try {
      return await store.open(id)
    } catch (error) {
      if (toAppError(error).code === 'not_found') return undefined
      throw error
    }
  }

  return {
    list: catalog.list,
    async read(id) {
      const project = await find(id)
      if (!project) return undefined
      const { state } = project.read()
      if (state.id === '') return undefined // a journal of which nothing can be read
      const stages = await Promise.all(state.stages.map((s) => wholeStage(project, s)))
      return { ...state, input: await project.input().catch(lostValue), stages }
    },
    async artifact(id, name) {
      const project = await find(id)
      const artifact = project?.read().state.artifacts.find((a) => a.name === name)
      if (!project || !artifact) return undefined
      return { path: artifactPath(project.paths, project.read(), name), artifact }
    },
    async task(id, taskId) {
      const project = await find(id)
      const stage = project?.read().tasks[taskId]
      return project && stage ? taskView(project, taskId, await wholeStage(project, stage)) : undefined
    },
    async texts(id) {
      const project = await find(id)
      const stages = project?.read().state.stages ?? []
      const rows = await Promise.all(stages.map(async (s) => [s.name, await textOf(project!, s)] as const))
      return Object.fromEntries(rows.filter((row): row is readonly [string, string] => row[1] !== null))
    },
    async revisions(id) {
      const project = await find(id)
      return project && revisionsOf(project.read())
    },
  }
}

export function revisionsOf({ internals, projectRevision }: Folded): Record<string, number> {
  const rows = Object.entries(internals).map(([stage, { revision }]) => [stage, revision] as const)
  return { ...Object.fromEntries(rows), '*project*': projectRevision }
}

async function textOf(project: Project, stage: StageState): Promise<string | null> {
  if (stage.text_artifact === null) return stage.text
  const text = await loadValue(project, stage.text_artifact).catch(lostValue)
  return text === null ? null : String(text) // a text that is lost is none, and not the word for nothing
}

function taskView(project: Project, task_id: string, stage: StageState): TaskView {
  const { id: project_id } = project
  const state = taskState(stage)
  const channel = stageChannel(project_id, stage.name)
  const ended = state === 'SUCCESS' || state === 'FAILURE' || state === 'REVOKED'
  const { result, progress, message, error, retries } = stage
  return {
    task_id,
    project_id,
    stage: stage.name,
    state,
    result: ended ? { success: state === 'SUCCESS', task_id, channel, result } : null,
    info: { progress, message, error: error?.message ?? null, retries },
  }
}

function taskState({ status, progress, retry_at }: StageState): TaskState {
  if (status === 'running') return progress > 0 ? 'PROGRESS' : 'STARTED'
  if (status === 'queued') return retry_at === null ? 'PENDING' : 'RETRY'
  if (status === 'waiting') return 'RETRY'
  if (status === 'completed') return 'SUCCESS'
  return status === 'failed' ? 'FAILURE' : status === 'cancelled' ? 'REVOKED' : 'PENDING'
}

async function wholeStage(project: Project, stage: StageState): Promise<StageState> {
  if (stage.result_artifact === null) return stage
  return { ...stage, result: await loadValue(project, stage.result_artifact).catch(lostValue) }
}

/** A value whose file is gone reads as null; resume makes it again. Of one that cannot be read now nothing is said. */
function lostValue(error: unknown): null {
  if (error instanceof AppError && LOST.has(error.code)) return null
  throw error
}

const LOST: ReadonlySet<string> = new Set(['not_found', 'artifact_missing'])
