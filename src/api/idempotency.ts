/** Idempotency-Key: one file per key, so that a repeated request has one effect and one answer, crashes included. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, ERRORS, errnoOf, toAppError } from '../lib/errors.ts'
import { ensureFolder, readJson, writeAtomic } from '../lib/files.ts'
import { canonicalJson, sha256, uuidv7 } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'

export const KEY_LIFE_MS = 24 * 3600 * 1000

export type StoredAnswer = { status: number; location: string | null; body: unknown }

/** `id` names what will be made; `again`: an earlier try with this id died, so it may exist already. */
export type Once = (id: string, again: boolean) => Promise<StoredAnswer>

export type OnceRequest = { user: string; key: string; request: unknown; run: Once }

export type Idempotency = { once(request: OnceRequest): Promise<StoredAnswer & { replayed: boolean }> }

/** The id is on disk before anything is made under it: a crash in between can only repeat it, never make a second. */
type KeyRecord = { version: 1; request: string; id: string; created_at: string; answer: StoredAnswer | null }

type StoreOptions = { folder: string; log: Log; now?: () => number }

export function createIdempotency({ folder, log, now = Date.now }: StoreOptions): Idempotency {
  // Only this process serves the data folder, so what runs is known in memory.
  const running = new Map<string, string>()
  return {
    async once({ user, key, request, run }) {
      const path = join(folder, `${sha256(`${user}\0${key}`)}.json`)
      const hash = sha256(canonicalJson(request))
      refuseOther(running.get(path), hash)
      if (running.has(path)) throw new AppError('in_progress', 'The first request with this key is still running')
      running.set(path, hash)
      try {
        await ensureFolder(folder)
        return await answerOnce({ path, hash, run, log, nowMs: now() })
      } finally {
        running.delete(path)
      }
    },
  }
}

/** Deletes the records of keys that have had their time. Returns how many. */
export async function removeExpiredKeys(folder: string, nowMs: number): Promise<number> {
  const names = await readdir(folder).catch((error) => {
    if (errnoOf(error) === 'ENOENT') return [] // no key was ever used
    throw error
  })
  let removed = 0
  for (const name of names) {
    const path = join(folder, name)
    const facts = await stat(path).catch(() => undefined) // removed meanwhile
    if (!facts || nowMs - facts.mtimeMs < KEY_LIFE_MS) continue
    await rm(path, { force: true })
    removed++
  }
  return removed
}

type Attempt = { path: string; hash: string; run: Once; log: Log; nowMs: number }

async function answerOnce(attempt: Attempt): Promise<StoredAnswer & { replayed: boolean }> {
  const { path, hash, nowMs } = attempt
  const known = await readValid(path, nowMs)
  refuseOther(known?.request, hash)
  if (known?.answer) return { ...known.answer, replayed: true }
  const record: KeyRecord = known ?? {
    version: 1,
    request: hash,
    id: uuidv7(nowMs),
    created_at: new Date(nowMs).toISOString(),
    answer: null,
  }
  if (!known) await writeAtomic(path, JSON.stringify(record), 0o600)
  const answer = await runOrForget(attempt, record.id, known !== undefined)
  await keep(attempt, { ...record, answer })
  return { ...answer, replayed: false }
}

/** A refused request leaves no trace, so that it can be corrected; after any other failure the id stays the key's. */
async function runOrForget({ path, run }: Attempt, id: string, again: boolean): Promise<StoredAnswer> {
  try {
    return await run(id, again)
  } catch (error) {
    const refused = ERRORS[toAppError(error).code].status < 500
    if (refused && !again) await rm(path, { force: true })
    throw error
  }
}

/** The work is done; a record that cannot be finished only means that a repetition looks the answer up. */
async function keep({ path, log }: Attempt, record: KeyRecord): Promise<void> {
  await writeAtomic(path, JSON.stringify(record), 0o600).catch((error) =>
    log.warn({ error }, 'the answer for an Idempotency-Key could not be kept'),
  )
}

async function readValid(path: string, nowMs: number): Promise<KeyRecord | undefined> {
  const record = await readJson<KeyRecord>(path)
  if (record?.version !== 1) return undefined
  return nowMs - Date.parse(record.created_at) < KEY_LIFE_MS ? record : undefined
}

function refuseOther(known: string | undefined, hash: string): void {
  if (known !== undefined && known !== hash)
    throw new AppError('key_reused', 'This Idempotency-Key belongs to a request with another body')
}
