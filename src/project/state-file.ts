/** `project_state.json`: the fold made readable. Derived, replaced atomically, never read for an answer. */
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDiskError } from '../lib/errors.ts'
import { readJson, syncFolder, tempPath, writeSynced } from '../lib/files.ts'
import type { Journal } from './journal.ts'
import type { ProjectState } from './project.ts'

export type StateFile = {
  /** Resolves when the file shows at least what the journal held at the call. */
  refresh(): Promise<void>
  /** The same, later and together with others: for records that come many a second. */
  refreshSoon(): void
  /** For a process that is about to end: what is being written is written, and nothing else begins by itself. */
  settle(): Promise<void>
}

/** For whoever waits for it to settle: it takes no longer on a disk that works. */
export const SETTLE_MS = 500
const SOON_MS = 250
const RETRY_MS = 2_000

export function createStateFile(path: string, journal: Journal): StateFile {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let soon: NodeJS.Timeout | undefined

  /** One writer per process at a time; a call during a write shares the following one. */
  function refresh(): Promise<void> {
    clearTimeout(soon) // this one shows all that the later one would
    soon = undefined
    if (!running) {
      running = writeFold(path, journal).finally(() => {
        running = undefined
      })
      return running
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        // its own caller hears of the failure
        next = undefined
        return refresh()
      })
    return next
  }

  function refreshIn(ms: number): void {
    soon ??= setTimeout(() => {
      soon = undefined
      refresh().catch((error) => {
        // Derived data: a full disk is waited for, and anything else is reported by the next transition.
        if (isDiskError(error)) refreshIn(RETRY_MS)
      })
    }, ms)
    soon.unref()
  }

  async function settle(): Promise<void> {
    clearTimeout(soon)
    soon = undefined // else whoever writes afterwards would wait for a timer that never comes
    await (next ?? running)?.catch(() => {}) // its own caller hears of it
  }

  return { refresh, refreshSoon: () => refreshIn(SOON_MS), settle }
}

/**
 * Another process may rename an older fold over ours, so whoever renames looks at the journal once
 * more; the last one to look has the newest fold.
 */
async function writeFold(path: string, journal: Journal): Promise<void> {
  let written = -1
  while (journal.read().state.revision !== written) {
    const { state } = journal.read()
    await replace(path, state, () => journal.read().state.revision === state.revision)
    written = state.revision
  }
}

async function replace(path: string, state: ProjectState, isNewest: () => boolean): Promise<void> {
  const temp = tempPath(path)
  try {
    await writeSynced(temp, `${JSON.stringify(state, null, 2)}\n`)
    if (!isNewest()) return
    await rename(temp, path)
    await syncFolder(dirname(path))
  } finally {
    await rm(temp, { force: true })
  }
}

/** The file's content when it is whole and of a version that we know. */
export async function readStateFile(path: string): Promise<ProjectState | undefined> {
  const state = await readJson<ProjectState>(path)
  return state?.version === 1 && typeof state.id === 'string' && Array.isArray(state.stages) ? state : undefined
}
