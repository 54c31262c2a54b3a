/** `open/<id>`: one empty file per project that has not ended, or whose deletion has not; nothing else is looked at. */
import { open, stat, unlink } from 'node:fs/promises'
import { errnoOf } from '../lib/errors.ts'
import { ensureFolder, syncFolder } from '../lib/files.ts'
import type { DataLayout, ProjectLayout } from './layout.ts'

export async function mark(layout: DataLayout, paths: ProjectLayout): Promise<void> {
  if (await exists(paths.marker)) return
  await ensureFolder(layout.open)
  await (await open(paths.marker, 'a')).close()
  await syncFolder(layout.open)
}

export async function unmark(paths: ProjectLayout): Promise<void> {
  await unlink(paths.marker).catch((error) => {
    if (errnoOf(error) !== 'ENOENT') throw error
  })
}

/** Longer than any creation takes. */
const YOUNG_MS = 60_000

export async function isYoung(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined) // gone meanwhile
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) < YOUNG_MS
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => (errnoOf(error) === 'ENOENT' ? false : Promise.reject(error)),
  )
}
