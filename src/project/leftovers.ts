/** What killed processes leave in the data folder: nothing of it counts, and nobody else comes for it. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { removeTemps, removeTree } from '../lib/files.ts'
import type { DataLayout } from './layout.ts'
import type { Project, ProjectStore } from './store.ts'

/** Before anything of this run writes: even a file with this process's number is an earlier one's. */
export async function cleanDataFolder({ root, redis, idempotency }: DataLayout): Promise<void> {
  await Promise.all([root, redis, idempotency].map((folder) => removeTemps(folder, () => true)))
}

/** While no worker lives. Only open projects are looked at: one that ends is left clean. */
export async function cleanOpenProjects(
  store: ProjectStore,
  isDead: (pid: number) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  for (const id of await store.openIds()) {
    if (signal?.aborted) return
    const project = await store.open(id).catch(() => undefined) // the reconciler reports what cannot be read
    if (project) await cleanProject(project, isDead)
  }
}

async function cleanProject(project: Project, isDead: (pid: number) => boolean): Promise<void> {
  const { folder, work, input } = project.paths
  await Promise.all([
    removeTemps(folder, isDead),
    removeTemps(join(folder, 'calls'), isDead),
    removeTemps(input, isDead),
    removeTree(work),
    removeUnnamed(project).catch(() => {}), // it only costs room
  ])
}

/**
 * Placed, but their record was never written. When lines of the journal are damaged, one of those may name the file.
 * One that was looked for in vain is not of these: a disk that was away may be back.
 */
async function removeUnnamed(project: Project): Promise<void> {
  const { state, lost } = project.read()
  if (project.skipped() > 0) return
  const named = new Set([...state.artifacts.map(({ file }) => file), ...lost])
  const unnamed = (await readdir(project.paths.artifacts)).filter((file) => !named.has(file))
  await Promise.all(unnamed.map((file) => rm(join(project.paths.artifacts, file), { force: true })))
}
