/** A lock on a file that the kernel frees when its holder dies, however it dies. */
import type { DatabaseSync } from 'node:sqlite'
import { errnoOf } from './errors.ts'
import { sleep } from './until.ts'

export type Lock = { release(): void; [Symbol.dispose](): void }

/** Two that try at the same instant can both be refused; a few tries make one of them win. */
const TRY_MS = 300

/** Undefined when another process (or this one) holds it. Throws when the file cannot be opened. */
export async function acquireLock(path: string): Promise<Lock | undefined> {
  const { DatabaseSync } = await import('node:sqlite')
  const deadline = performance.now() + TRY_MS
  for (;;) {
    const isLast = performance.now() > deadline // asked before: a try that a busy machine has stretched is not the last
    const lock = tryLock(new DatabaseSync(path))
    if (lock || isLast) return lock
    await sleep(5 + Math.random() * 20)
  }
}

/** SQLite keeps its file locked for as long as an exclusive transaction is open; nothing is ever written. */
function tryLock(database: DatabaseSync): Lock | undefined {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
  const release = () => {
    if (database.isOpen) database.close()
  }
  return { release, [Symbol.dispose]: release }
}

const SQLITE_BUSY = 5

function isBusy(error: unknown): boolean {
  return errnoOf(error) === 'ERR_SQLITE_ERROR' && (error as { errcode?: number }).errcode === SQLITE_BUSY
}
