/** Paid calls: known before they are made, their raw answers on disk before anybody reads them. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, errnoOf } from '../lib/errors.ts'
import { ensureFolder, writeAtomic } from '../lib/files.ts'
import { sha256 } from '../lib/ids.ts'
import type { Attempt } from './attempt.ts'

export type CallLedger = {
  /**
   * The raw answer of an earlier call with this key, so that it is not paid for again; else the
   * intent is written down and null is returned. Throws `ambiguous_call` when two such calls were
   * begun and never answered: a third could be paid for a third time.
   */
  before(requestKey: string, about: { provider: string; model: string | null }): Promise<{ raw: string } | null>
  after(requestKey: string, raw: string): Promise<void>
  /** The provider said no: nothing was paid, and the next try is as good as the first. */
  refused(requestKey: string): Promise<void>
  /** Drops an answer that proved useless, so that the next attempt asks again. */
  forget(requestKey: string): Promise<void>
}

/** A call that was cut off by a crash is repeated at most once. */
const MAX_UNANSWERED = 2

export function createLedger(attempt: Attempt): CallLedger {
  const folder = join(attempt.project.paths.folder, 'calls')
  // A rerun is a new take: it buys new answers.
  const keyOf = (requestKey: string) => `${attempt.take}:${requestKey}`
  const fileOf = (requestKey: string) =>
    join(folder, `${sha256(`${attempt.stage} ${keyOf(requestKey)}`).slice(0, 32)}.raw`)
  return {
    async before(requestKey, about) {
      const raw = await readIfThere(fileOf(requestKey))
      if (raw !== undefined) return { raw }
      if (attempt.intents(keyOf(requestKey)) >= MAX_UNANSWERED) throw ambiguous(requestKey)
      await attempt.intend({ request_key: keyOf(requestKey), ...about })
      return null
    },
    async after(requestKey, raw) {
      await ensureFolder(folder)
      await writeAtomic(fileOf(requestKey), raw)
      await attempt.called(keyOf(requestKey), 'answered')
    },
    refused: (requestKey) => attempt.called(keyOf(requestKey), 'refused'),
    forget: (requestKey) => rm(fileOf(requestKey), { force: true }),
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function ambiguous(requestKey: string): AppError {
  return new AppError(
    'ambiguous_call',
    `A paid call was begun ${MAX_UNANSWERED} times and cut off each time; rerun the stage to make it again`,
    { details: { request_key: requestKey } },
  )
}
