/** When a project that found the disk full may try again. */
import { statfsSync } from 'node:fs'
import type { Project } from './store.ts'

/** With so much free there is no need to compare. */
const PLENTY_BYTES = 1024 * 1024 * 1024
/** So much more than when it stopped is worth another try. */
const GAIN_BYTES = 32 * 1024 * 1024
const ASK_AGAIN_MS = 15_000

/**
 * Tells, at most every 15 s per project, whether there is clearly more room than when it gave up.
 * The room at that time is what the first look finds, so a restart costs one more try at most.
 */
export function createRoomCheck(now: () => number = () => performance.now()): (project: Project) => boolean {
  const seen = new Map<string, { atMs: number; freeBytes: number }>()
  return (project) => {
    const free = freeBytes(project.paths.folder)
    const last = seen.get(project.id)
    if (!last) seen.set(project.id, { atMs: now(), freeBytes: free })
    if (!last || now() - last.atMs < ASK_AGAIN_MS) return false
    if (free < PLENTY_BYTES && free < last.freeBytes + GAIN_BYTES) return false
    seen.delete(project.id)
    return true
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
