/** The data folder of one installation: writable, owned by one supervisor, with an identity of its own. */
import { randomUUID } from 'node:crypto'
import { access, constants, readFile, realpath, rm } from 'node:fs/promises'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import { ensureFolder, readJson, writeAtomic } from '../lib/files.ts'
import { sha256 } from '../lib/ids.ts'
import { acquireLock, type Lock } from '../lib/lock.ts'
import { until } from '../lib/until.ts'
import type { DataLayout } from '../project/layout.ts'

/** What a running instance leaves for the CLI and for a second start. Removed on a clean stop. */
export type RunFile = {
  pid: number
  run_id: string
  url: string
  started_at: string
  redis: { mode: string; url: string } | null
  /** It still answers, but not for long. */
  stopping?: true
}

export type DataFolder = {
  /** 12 hex digits: tells this folder from its copies, and from the same path in another container. */
  dataId: string
  announce(run: RunFile): Promise<void>
  /** Whoever starts now waits for our end. Nothing to do when nothing has been announced. */
  announceStop(): Promise<void>
  release(): Promise<void>
}

export type OpenOptions = {
  signal: AbortSignal
  /** Told once, when it takes long. */
  onWait(sentence: string): void
}

/**
 * The folder, or where the instance that owns it runs. Throws `settings` when it cannot be written, `timeout` when its
 * owner does not come to serve.
 */
export async function openDataFolder(
  layout: DataLayout,
  options: OpenOptions,
): Promise<DataFolder | { runningAt: RunFile }> {
  await makeWritable(layout)
  const claim = await claimFolder(layout, options)
  if ('runningAt' in claim) return claim
  await rm(layout.run, { force: true }) // of a run that was killed
  const dataId = await identify(layout)
  return { dataId, ...createRunFile(layout.run, claim.lock) }
}

/** One write after the other: of two at once either could be the one that stays, even after the release. */
function createRunFile(path: string, lock: Lock): Omit<DataFolder, 'dataId'> {
  let announced: RunFile | undefined
  let last: Promise<void> = Promise.resolve()
  const next = (act: () => Promise<void>) => {
    last = last.catch(() => {}).then(act) // its own caller hears of a failure
    return last
  }
  const write = (run: RunFile) => writeAtomic(path, `${JSON.stringify(run, null, 2)}\n`, 0o600)
  return {
    announce(run) {
      announced = run
      return next(() => write(run))
    },
    announceStop: () => next(async () => announced && write({ ...announced, stopping: true })),
    release: () => next(() => rm(path, { force: true })).finally(lock.release),
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

/** A first start may load a large Redis file, or build one; longer than this nobody waits for it. */
const WAIT_MS = 90_000
const SAY_AFTER_MS = 2_000
const LOOK_EVERY_MS = 50

/** The other one may be in the middle of its own start, and that may fail, or of its stop: then the folder is ours. */
async function claimFolder(
  layout: DataLayout,
  { signal, onWait }: OpenOptions,
): Promise<{ lock: Lock } | { runningAt: RunFile }> {
  const startedMs = performance.now()
  const said = new Set<string>()
  const look = async () => {
    const lock = await acquireLock(layout.lock)
    if (lock) return { lock }
    const runningAt = await readJson<RunFile>(layout.run)
    if (runningAt && !runningAt.stopping) return { runningAt }
    const sentence = waitWords(layout.root, runningAt)
    if (said.has(sentence) || performance.now() - startedMs < SAY_AFTER_MS) return undefined
    said.add(sentence)
    onWait(sentence)
    return undefined
  }
  const what = `the program that holds ${layout.root} to serve or to end`
  return until(look, { timeoutMs: WAIT_MS, everyMs: LOOK_EVERY_MS, signal, what })
}

function waitWords(root: string, stopping: RunFile | undefined): string {
  if (!stopping) return `another start holds ${root} and does not serve yet; waiting for it`
  return `the program that serves ${root} (pid ${stopping.pid}) is stopping; waiting for it to end`
}

async function identify(layout: DataLayout): Promise<string> {
  let own = (await readFile(layout.identity, 'utf8').catch(() => '')).trim() // none yet
  if (own === '') {
    own = randomUUID()
    await writeAtomic(layout.identity, `${own}\n`)
  }
  return sha256(`${own} ${await realpath(layout.root)}`).slice(0, 12)
}
