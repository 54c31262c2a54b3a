/** Reads projects from the data folder, for when no server runs. Changes nothing that a server relies on. */
import type { Config } from '../config.ts'
import { createCatalog, type ListQuery } from '../project/catalog.ts'
import { dataLayout } from '../project/layout.ts'
import type { ProjectState, ProjectSummary } from '../project/project.ts'
import { createProjectStore } from '../project/store.ts'

export async function listFromDisk(config: Config, query: ListQuery): Promise<ProjectSummary[]> {
  const { items } = await createCatalog(createProjectStore(dataLayout(config.dataDir))).list(query)
  return items
}

/** Throws `not_found`. */
export async function readFromDisk(config: Config, id: string): Promise<ProjectState> {
  const project = await createProjectStore(dataLayout(config.dataDir)).open(id)
  return project.read().state
}
