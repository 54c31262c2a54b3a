/** One project's journal: append-only, the truth. Reading is incremental; nobody ever truncates. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { AppError, errnoOf } from '../lib/errors.ts'
import { appendOnce } from '../lib/files.ts'
import { applyRecord } from './fold.ts'
import { emptyFold, type Folded } from './folded.ts'
import { decodeRecord, encodeRecord, type JournalRecord, type RecordBody } from './records.ts'

export type Journal = {
  readonly path: string
  /** The state as of now. Costs one stat when nothing was added. Throws `not_found` without a journal. */
  read(): Folded
  /** Appends one record and gives the state after it; `sync: false` only where loss costs nothing. */
  append(record: RecordBody, options?: { sync?: boolean }): Promise<Folded>
  /** Lines that no reader can understand: torn or changed by hand. */
  skipped(): number
}

export function openJournal(path: string, now: () => number = Date.now): Journal {
  let folded: Folded = emptyFold()
  let offset = 0
  let inode = 0
  let skipped = 0

  function read(): Folded {
    const stat = statOrThrow(path)
    if (stat.ino !== inode || stat.size < offset) {
      ;[folded, offset, inode, skipped] = [emptyFold(), 0, stat.ino, 0] // replaced by hand: read anew
    }
    if (stat.size > offset) consume(readFrom(path, offset))
    return folded
  }

  /** Takes whole lines only: bytes after the last newline may still be on their way. */
  function consume(data: Buffer): void {
    const end = data.lastIndexOf(0x0a) + 1
    offset += end
    for (const line of data.subarray(0, end).toString('utf8').split('\n')) {
      if (line === '') continue
      const next = applyLine(folded, line)
      if (next) folded = next
      else skipped++
    }
  }

  return {
    path,
    read,
    async append(body, { sync = true } = {}) {
      const record = { at: new Date(now()).toISOString(), ...body } as JournalRecord
      await appendOnce(path, encodeRecord(record), sync).catch(throwNotFound)
      return read()
    },
    skipped: () => skipped,
  }
}

/** Undefined for what cannot be read, or not understood: another version may have written it. One line must not stop all. */
function applyLine(folded: Folded, line: string): Folded | undefined {
  const record = decodeRecord(line)
  if (!record) return undefined
  try {
    return applyRecord(folded, record)
  } catch {
    return undefined // whole, but of a shape that the fold does not know; it is counted and reported as skipped
  }
}

function statOrThrow(path: string) {
  try {
    return statSync(path)
  } catch (error) {
    return throwNotFound(error)
  }
}

/** Without its folder, or its journal, there is no project. */
function throwNotFound(error: unknown): never {
  if (errnoOf(error) === 'ENOENT') throw new AppError('not_found', 'No such project', { cause: error })
  throw error
}

function readFrom(path: string, offset: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const data = Buffer.allocUnsafe(Math.max(0, fstatSync(fd).size - offset))
    let filled = 0
    while (filled < data.length) {
      const n = readSync(fd, data, filled, data.length - filled, offset + filled)
      if (n === 0) break
      filled += n
    }
    return data.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}
