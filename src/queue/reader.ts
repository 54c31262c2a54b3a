/** Reads projects for the API: from the journals' folds, with large values put back. */
import { AppError, toAppError } from '../lib/errors.ts'
import { artifactPath } from '../project/artifacts.ts'
import { loadValue } from '../project/attempt.ts'
import type { Catalog, ListPage, ListQuery } from '../project/catalog.ts'
import type { ArtifactState, ProjectState, StageState } from '../project/project.ts'
import type { Project, ProjectStore } from '../project/store.ts'

export type ProjectReader = {
  read(id: string): Promise<ProjectState | undefined>
  list(query: ListQuery): Promise<ListPage>
  /** Undefined for an unknown name. Throws `artifact_missing` when the file is gone. */
  artifact(id: string, name: string): Promise<{ path: string; artifact: ArtifactState } | undefined>
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
  }
}

async function wholeStage(project: Project, stage: StageState): Promise<StageState> {
  if (stage.result_artifact === null) return stage
  return { ...stage, result: await loadValue(project, stage.result_artifact).catch(lostValue) }
}

/** A value whose file is gone reads as null; resume makes it again. */
function lostValue(error: unknown): null {
  if (error instanceof AppError) return null
  throw error
}
