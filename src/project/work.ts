/** Private folders of attempts: nothing in them counts, and none is left when its project has ended. */
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, toAppError } from '../lib/errors.ts'
import { removeTree } from '../lib/files.ts'
import type { Folded } from './folded.ts'
import type { ProjectLayout } from './layout.ts'

type Place = { paths: ProjectLayout; read(): Folded }

export function workName(stage: string, fence: string): string {
  return `${stage}.${fence.slice(0, 8)}`
}

/** Never rejects. */
export async function removeWork(place: Place, work: string): Promise<void> {
  await removeTree(work)
  await removeGhost(place).catch(() => {}) // something was added meanwhile, or the folder cannot be read
}

/** What a stage makes in the folder of a project that was deleted under it brings the folder back, without a project. */
async function removeGhost(place: Place): Promise<void> {
  if (readUnlessDeleted(place)) return
  await rmdir(place.paths.work)
  await rmdir(place.paths.folder)
}

export function readUnlessDeleted({ read }: Pick<Place, 'read'>): Folded | undefined {
  try {
    return read()
  } catch (error) {
    if (toAppError(error).code === 'not_found') return undefined
    throw error
  }
}

/**
 * Attempts that were killed leave their private folders behind; without `stage`, those of all stages are removed. False
 * when something is left, because a program still writes there: that is left to the next claim, look or start.
 */
export async function removeDeadWork({ paths, read }: Place, stage?: string): Promise<boolean> {
  const names = await readdir(paths.work).catch(() => [] as string[]) // no folder: nothing was left
  // Read after the names: a claim is on the disk before its folder is.
  const living = livingIn(read())
  const dead = names.filter((name) => (stage === undefined || name.startsWith(`${stage}.`)) && !living.has(name))
  const removed = await Promise.all(dead.map((name) => removeTree(join(paths.work, name))))
  return removed.every(Boolean)
}

function livingIn({ state, internals }: Folded): ReadonlySet<string> {
  const running = state.stages.filter((s) => s.status === 'running')
  return new Set(running.map(({ name }) => workName(name, internals[name]?.fence ?? '')))
}

/** True also when it cannot be looked at. */
export async function hasWork({ work }: ProjectLayout): Promise<boolean> {
  return readdir(work).then(
    (names) => names.length > 0,
    (error) => errnoOf(error) !== 'ENOENT',
  )
}
