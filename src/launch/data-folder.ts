/** The data folder of one installation: writable, owned by one supervisor, with an identity of its own. */
import { randomUUID } from 'node:crypto'
import { access, constants, readFile, realpath, rm } from 'node:fs/promises'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import { ensureFolder, readJson, writeAtomic } from '../lib/files.ts'
import { sha256 } from '../lib/ids.ts'
import { acquireLock } from '../lib/lock.ts'
import { until } from '../lib/until.ts'
import type { DataLayout } from '../project/layout.ts'

/** What a running instance leaves for the CLI and for a second start. Removed on a clean stop. */
export type RunFile = {
  pid: number
  run_id: string
  url: string
  started_at: string
  redis: { mode: string; url: string } | null
}

export type DataFolder = {
  /** 12 hex digits: tells this folder from its copies, and from the same path in another container. */
  dataId: string
  announce(run: RunFile): Promise<void>
  release(): Promise<void>
}

/** The folder, or where the instance that owns it runs. Throws `settings` when it cannot be written. */
export async function openDataFolder(layout: DataLayout): Promise<DataFolder | { runningAt: RunFile }> {
  await makeWritable(layout)
  const lock = await acquireLock(layout.lock)
  if (!lock) return { runningAt: await awaitRunFile(layout) }
  await rm(layout.run, { force: true }) // of a run that was killed
  const dataId = await identify(layout)
  return {
    dataId,
    announce: (run) => writeAtomic(layout.run, `${JSON.stringify(run, null, 2)}\n`, 0o600),
    async release() {
      await rm(layout.run, { force: true })
      lock.release()
    },
  }
}

async function makeWritable(layout: DataLayout): Promise<void> {
  try {
    await Promise.all([layout.projects, layout.open, layout.published].map(ensureFolder))
    await access(layout.root, constants.W_OK | constants.X_OK)
  } catch (error) {
    const why = errnoOf(error) === 'EACCES' || errnoOf(error) === 'EROFS' ? 'cannot be written' : messageOf(error)
    throw new AppError('settings', `The data folder ${layout.root} is not usable: ${why} (setting DATA_DIR)`, {
      cause: error,
    })
  }
}

/** The other one may be at the very beginning of its own start. */
async function awaitRunFile(layout: DataLayout): Promise<RunFile> {
  const what = 'the instance that owns the data folder to say where it runs'
  return until(() => readJson<RunFile>(layout.run), { timeoutMs: 20_000, everyMs: 50, what })
}

async function identify(layout: DataLayout): Promise<string> {
  let own = (await readFile(layout.identity, 'utf8').catch(() => '')).trim() // none yet
  if (own === '') {
    own = randomUUID()
    await writeAtomic(layout.identity, `${own}\n`)
  }
  return sha256(`${own} ${await realpath(layout.root)}`).slice(0, 12)
}
