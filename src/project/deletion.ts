/** Deleting a project: gone at one moment, whatever ends this process meanwhile, and then removed. */
import { readdir, rename } from 'node:fs/promises'
import { errnoOf } from '../lib/errors.ts'
import { removeTree, syncFolder } from '../lib/files.ts'
import { sleep } from '../lib/until.ts'
import type { DataLayout, ProjectLayout } from './layout.ts'
import { exists, mark, unmark } from './markers.ts'

/** A stage that was cancelled has so long to leave its folder. */
const WIND_DOWN_MS = 3_000
const LOOK_EVERY_MS = 50

/**
 * Renames the folder to a name that no project can have: from that moment on there is no such project. What cannot be
 * removed at once is found by the marker later: see `finishDeletion`.
 */
export async function deleteProject(layout: DataLayout, paths: ProjectLayout): Promise<void> {
  await mark(layout, paths)
  await removeTree(paths.deleted) // of an earlier project of this id
  await rename(paths.folder, paths.deleted).catch((error) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
  // A disk that cannot keep this (EIO) may show the folder again after a power failure, and then the marker too.
  await syncFolder(layout.projects).catch(() => {})
  await mark(layout, paths).catch(() => {}) // the reconciler may have taken it for that of a project that has ended
  await finishDeletion(paths)
}

/** Removes what is left of a deleted project; its marker goes last, so that whoever looks next can try again. */
export async function finishDeletion(paths: ProjectLayout): Promise<void> {
  const removed = await Promise.all([paths.deleted, paths.published].map(removeTree))
  if (removed.every(Boolean)) await unmark(paths)
}

export function isDeleted(paths: ProjectLayout): Promise<boolean> {
  return exists(paths.deleted)
}

/** Waits a moment for attempts that wind down: they have private folders, and remove them at their end. */
export async function windDown({ work }: ProjectLayout): Promise<void> {
  const deadlineMs = performance.now() + WIND_DOWN_MS
  const isEmpty = async () => (await readdir(work).catch(() => [])).length === 0 // no folder: nothing has run yet
  while (!(await isEmpty()) && performance.now() < deadlineMs) await sleep(LOOK_EVERY_MS)
}
