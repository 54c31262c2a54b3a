/** What happened to the processes, and what caused it: a bounded record on disk that outlives every run. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { errnoOf } from '../lib/errors.ts'
import { readTail } from '../lib/files.ts'
import { cleanJson } from '../lib/redact.ts'
import { RotatingFile } from '../lib/rotating-file.ts'
import { segmentPaths } from '../lib/segment.ts'

export type ChronicleEntry = {
  /** Grows by one from entry to entry, over all runs. */
  id: number
  at: string
  /** Id of the run of the program. */
  run: string
  /** Slot of the process: that of `io-1.old` is `io-1`. */
  process: string
  event: string
  /** For people. */
  text: string
  /** Id of the entry without which this one would not be. */
  cause: number | null
  facts: Record<string, unknown>
}

const FILE = 'events.ndjson'
const SEGMENTS = 2
const SEGMENT_BYTES = 1024 * 1024
const MAX_TEXT_LENGTH = 1_000
/** A longer entry loses its facts. */
const MAX_FACTS_LENGTH = 4_000

export type ChronicleFile = {
  /** The newest entries of earlier runs, oldest first. */
  readonly before: readonly ChronicleEntry[]
  /**
   * Handed to the kernel when it returns, or lost when the disk is full; gives the entry's id. It survives our end by a
   * kill, but not a power cut of the next seconds: nothing here waits for the disk.
   */
  append(entry: Omit<ChronicleEntry, 'id'>): number
  close(): Promise<void>
}

export type ChronicleOptions = { clean: (text: string) => string; onFault: (error: Error | null) => void }

/** One writer per folder: whoever owns the data folder. */
export async function openChronicle(folder: string, { clean, onFault }: ChronicleOptions): Promise<ChronicleFile> {
  const before = await readNewest(folder).catch(() => []) // nor can it be written then, which is said
  const file = new RotatingFile(join(folder, FILE), { maxBytes: SEGMENT_BYTES, files: SEGMENTS, onFault })
  let id = before.at(-1)?.id ?? 0
  return {
    before,
    append(entry) {
      id++
      file.append(`${cleanJson({ id, ...bounded(entry, clean) }, clean)}\n`)
      file.flushSync()
      return id
    },
    close: () => file.close(),
  }
}

/** Cleaned before it is cut: half of a secret would not be known for one. */
function bounded<E extends Pick<ChronicleEntry, 'text' | 'facts'>>(entry: E, clean: ChronicleOptions['clean']): E {
  const facts = JSON.stringify(entry.facts).length > MAX_FACTS_LENGTH ? { cut: true } : entry.facts
  return { ...entry, text: clean(entry.text).slice(0, MAX_TEXT_LENGTH), facts }
}

/** Lines parsed in one go; requests are answered in between. */
const PARSE_AT_ONCE = 500

/** All that is left, oldest first; what a crash has torn is left out. */
export async function readChronicle(folder: string): Promise<ChronicleEntry[]> {
  const entries: ChronicleEntry[] = []
  // Newest first: what is shifted to an older name while we read is then read twice, and never missed.
  const texts = []
  for (const path of segmentPaths(join(folder, FILE), SEGMENTS)) texts.unshift(await readIfThere(path))
  for (const [i, line] of texts.join('').split('\n').entries()) {
    const entry = parseEntry(line)
    if (entry && entry.id > (entries.at(-1)?.id ?? 0)) entries.push(entry)
    if (i % PARSE_AT_ONCE === PARSE_AT_ONCE - 1) await setImmediate()
  }
  return entries
}

/** So much of the end holds at least one entry, and how the run before ended. */
const TAIL_BYTES = 32 * 1024

async function readNewest(folder: string): Promise<ChronicleEntry[]> {
  for (const path of segmentPaths(join(folder, FILE), SEGMENTS)) {
    const lines = (await readTail(path, TAIL_BYTES)).split('\n')
    const entries = lines.map(parseEntry).filter((entry) => entry !== undefined)
    if (entries.length > 0) return entries
  }
  return []
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  }
}

function parseEntry(line: string): ChronicleEntry | undefined {
  try {
    const entry = JSON.parse(line) as ChronicleEntry
    return typeof entry.id === 'number' && typeof entry.process === 'string' ? entry : undefined
  } catch {
    return undefined
  }
}
