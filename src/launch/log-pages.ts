/** Reads the log files: the newest lines, or those behind a cursor, of one process or of all in their order. */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../lib/errors.ts'
import { segmentPaths } from '../lib/segment.ts'

export const LOG_SEGMENTS = 3

/** As it stands in the file; `id` and `line` are those of LogLine. */
export type StoredLine = { id: number; line: number; process: string; text: string }

/** Lines with a higher id than `upTo` do not count: what one file has of them, another may not have yet. */
export type LogPlace = { folder: string; processes: readonly string[]; upTo?: number }

/** More than that is not read at once, however long the lines are. */
const PAGE_LENGTH = 1024 * 1024

export function logPath(folder: string, process: string): string {
  return join(folder, `${process}.log`)
}

/** Processes that have a log. */
export async function loggedProcesses(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  return [...new Set(files.flatMap((file) => file.match(/^([\w-]+)(?:\.\d+)?\.log$/)?.[1] ?? []))].sort()
}

/** The newest lines, oldest of them first. */
export async function readNewest(place: LogPlace, limit: number): Promise<StoredLine[]> {
  const each = await Promise.all(placesOf(place).map((one) => newestOf(one, limit)))
  return bounded(each.flat().sort(byId).slice(-limit).reverse()).reverse()
}

/** The lines with a higher id, oldest first. */
export async function readAfter(place: LogPlace, since: number, limit: number): Promise<StoredLine[]> {
  const each = await Promise.all(placesOf(place).map((one) => after(one, since, limit)))
  return bounded(each.flat().sort(byId).slice(0, limit))
}

type OnePlace = { folder: string; process: string; upTo: number }

function placesOf({ folder, processes, upTo = Infinity }: LogPlace): OnePlace[] {
  return processes.map((process) => ({ folder, process, upTo }))
}

function byId(a: StoredLine, b: StoredLine): number {
  return a.id - b.id
}

/** At least one, so that a reader always gets on. */
function bounded(lines: StoredLine[]): StoredLine[] {
  let length = 0
  let count = 0
  while (count < lines.length && (count === 0 || length + lines[count]!.text.length <= PAGE_LENGTH))
    length += lines[count++]!.text.length
  return lines.slice(0, count)
}

async function newestOf(place: OnePlace, limit: number): Promise<StoredLine[]> {
  return withSegments(place, async (newestFirst) => {
    let lines: StoredLine[] = []
    for (const segment of newestFirst) {
      lines = [...(await lastLines(segment, limit - lines.length)), ...lines]
      if (lines.length >= limit) break
    }
    return lines
  })
}

async function after(place: OnePlace, since: number, limit: number): Promise<StoredLine[]> {
  return withSegments(place, async (newestFirst) => {
    const lines: StoredLine[] = []
    for (const segment of newestFirst.reverse()) {
      const [from] = await seek(segment, since)
      for await (const line of linesFrom(segment, from)) {
        if (line.id <= since) continue
        if (line.id > place.upTo) return lines
        lines.push(line)
        if (lines.length >= limit) return lines
      }
    }
    return lines
  })
}

type Segment = { handle: FileHandle; size: number; process: string; upTo: number }

/** Opened newest first: what is shifted to an older name meanwhile is then met twice, and never missed. */
async function withSegments<T>(
  { folder, process, upTo }: OnePlace,
  use: (newestFirst: Segment[]) => Promise<T>,
): Promise<T> {
  const opened: (Segment & { inode: number })[] = []
  try {
    for (const path of segmentPaths(logPath(folder, process), LOG_SEGMENTS)) {
      const handle = await openIfThere(path)
      if (!handle) continue
      const { size, ino: inode } = await handle.stat()
      if (opened.some((known) => known.inode === inode)) await handle.close()
      else opened.push({ handle, size, process, upTo, inode })
    }
    return await use(opened)
  } finally {
    await Promise.all(opened.map(({ handle }) => handle.close()))
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const BLOCK = 64 * 1024

/** Reads backward in growing pieces until there are enough lines. */
async function lastLines(segment: Segment, limit: number): Promise<StoredLine[]> {
  const { handle, process, upTo } = segment
  const size = await endOf(segment)
  for (let length = BLOCK; ; length *= 4) {
    const start = Math.max(0, size - length)
    const text = await readText(handle, start, size)
    const lines = (start === 0 ? text : text.slice(text.indexOf('\n') + 1))
      .split('\n')
      .flatMap((line) => parse(line, process) ?? [])
      .filter(({ id }) => id <= upTo)
    if (lines.length >= limit || start === 0 || length > 4 * PAGE_LENGTH) return lines.slice(-limit)
  }
}

/** An offset behind the last line that counts, and not far behind it. */
async function endOf(segment: Segment): Promise<number> {
  const { size, upTo } = segment
  if (upTo === Infinity) return size
  const [, high] = await seek(segment, upTo)
  return (await firstIdFrom(segment, high))?.at ?? size
}

async function readText(handle: FileHandle, start: number, end: number): Promise<string> {
  const buffer = Buffer.alloc(end - start)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
  return buffer.toString('utf8', 0, bytesRead)
}

/**
 * Ids grow with the offset: two offsets that are not far apart, before which all lines are those up to `since`, and
 * behind which whole ones are none of them.
 */
async function seek(segment: Segment, since: number): Promise<[low: number, high: number]> {
  let [low, high] = [0, segment.size]
  while (high - low > BLOCK) {
    const middle = Math.floor((low + high) / 2)
    const found = await firstIdFrom(segment, middle)
    if (found === undefined || found.id > since) high = middle
    else low = found.at
  }
  return [low, high]
}

/** The first whole line behind an offset. */
async function firstIdFrom({ handle, size }: Segment, from: number): Promise<{ at: number; id: number } | undefined> {
  for (let start = from; start < size; start += BLOCK) {
    const text = await readText(handle, start, Math.min(size, start + BLOCK + HEAD_LENGTH))
    const match = text.match(/\n\{"id":(\d+),/)
    if (match) return { at: start + Buffer.byteLength(text.slice(0, match.index! + 1)), id: Number(match[1]) }
  }
  return undefined
}

/** So long is the beginning by which a line is known; it may lie across two blocks. */
const HEAD_LENGTH = 32

async function* linesFrom({ handle, size, process }: Segment, from: number): AsyncGenerator<StoredLine, void> {
  if (from >= size) return
  let rest = ''
  const stream = handle.createReadStream({ start: from, end: size - 1, encoding: 'utf8', autoClose: false })
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const stored = parse(line, process)
      if (stored) yield stored
    }
  }
}

/** Without reading the whole of it; what a crash has torn is left out. */
function parse(text: string, process: string): StoredLine | undefined {
  const head = text.match(/^\{"id":(\d+),"line":(\d+),/)
  if (!head || !text.endsWith('}')) return undefined
  return { id: Number(head[1]), line: Number(head[2]), process, text }
}
