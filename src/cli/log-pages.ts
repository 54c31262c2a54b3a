/** The lines that somebody wants to see, however many pages of a server or of the disk that takes. */
import type { LogLine, LogPage } from '../api/schemas/logs.ts'
import { sinceOf } from '../launch/log-reader.ts'

export type Wanted = { process?: string; since?: string; limit?: number }

export type ReadPage = (query: Wanted & { before?: string; limit: number }) => Promise<LogPage>

/** As many as a server gives at once. */
const PAGE_LINES = 1_000
const USUAL_LINES = 200

/**
 * The last `limit` lines, of those since a moment when one is given; with a moment alone all up to now. `take` gets
 * them piece by piece, oldest first. Returns the cursor of what follows.
 */
export async function readWanted(
  read: ReadPage,
  wanted: Wanted,
  take: (lines: LogLine[]) => void,
): Promise<{ next: string }> {
  const { process, since, limit } = wanted
  if (since !== undefined && limit === undefined) return readSince(read, { process, since }, take)
  return readLast(read, { process, since, limit: limit ?? USUAL_LINES }, take)
}

/** What is written meanwhile is left out: a busy log would have no end. */
async function readSince(
  read: ReadPage,
  { process, since }: { process?: string; since: string },
  take: (lines: LogLine[]) => void,
): Promise<{ next: string }> {
  const { next: last } = await read({ process, limit: 1 })
  const before = String(Number(last) + 1)
  for (let from = since; ; ) {
    const { items, next } = await read({ process, since: from, before, limit: PAGE_LINES })
    if (items.length === 0) return { next: later(since, last) }
    take(items)
    from = next
  }
}

/** From the newest page back. */
async function readLast(
  read: ReadPage,
  { process, since, limit }: Wanted & { limit: number },
  take: (lines: LogLine[]) => void,
): Promise<{ next: string }> {
  const floor = sinceOf(since) ?? 0
  const newestFirst: LogLine[][] = []
  let next: string | undefined
  for (let left = limit, before: string | undefined; left > 0; ) {
    const page = await read({ process, before, limit: Math.min(left, PAGE_LINES) })
    next ??= page.next
    const lines = page.items.filter(({ id }) => id > floor)
    if (lines.length > 0) newestFirst.push(lines)
    if (lines.length === 0 || lines.length < page.items.length) break
    left -= lines.length
    before = String(lines[0]!.id)
  }
  for (const lines of newestFirst.reverse()) take(lines)
  return { next: later(since, next!) }
}

/** A moment that is still to come is waited for. */
function later(since: string | undefined, next: string): string {
  return String(Math.max(sinceOf(since) ?? 0, Number(next)))
}
