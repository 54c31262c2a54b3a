/** One log per process in the data folder, and what the API and the command line read from it. */
import { RotatingFile } from '../lib/rotating-file.ts'
import { createLogFeed } from './log-feed.ts'
import type { LogLine } from './log-line.ts'
import { LOG_SEGMENTS, loggedProcesses, logPath, readAfter, readNewest, type StoredLine } from './log-pages.ts'

/** Per file; `LOG_SEGMENTS` of them per process. */
export const LOG_BYTES = 5 * 1024 * 1024

export type LogFiles = {
  write(line: Omit<LogLine, 'id' | 'line' | 'at'>): void
  /** Processes that have a log. */
  names(): string[]
  /** The newest lines, or with `since` the first ones behind that id; with `before` only such with a lower one. */
  page(query: { process?: string; since?: number; before?: number; limit: number }): Promise<LogPage>
  /** Lines behind `since`; waits for the first of them. Throws the signal's reason. */
  next(query: { process?: string; since: number; signal: AbortSignal }): Promise<StoredLine[]>
  flushSync(): void
  close(): Promise<void>
}

/** `next`: the `since` of what follows. */
export type LogPage = { items: LogLine[]; next: number }

export type LogFilesOptions = {
  folder: string
  onFault: (error: Error | null) => void
  maxBytes?: number
  /** Microseconds; a clock that is set back stands still until it is where it was. */
  nowUs?: () => number
}

const NEXT_AT_ONCE = 500

/** One writer per folder: whoever owns the data folder. */
export async function openLogFiles(options: LogFilesOptions): Promise<LogFiles> {
  const { folder, nowUs = () => Date.now() * 1_000, maxBytes = LOG_BYTES } = options
  const onFault = joinFaults(options.onFault)
  const logs = new Map<string, { file: RotatingFile; lines: number }>()
  const addLog = (process: string, lines: number) => {
    const file = new RotatingFile(logPath(folder, process), { maxBytes, files: LOG_SEGMENTS, onFault })
    const log = { file, lines }
    logs.set(process, log)
    return log
  }
  let lastId = 0
  // What cannot be read now will not be writable either, which is said then.
  for (const process of await loggedProcesses(folder).catch(() => [])) {
    const [newest] = await readNewest({ folder, processes: [process] }, 1).catch(() => [])
    lastId = Math.max(lastId, newest?.id ?? 0)
    addLog(process, newest?.line ?? 0)
  }
  const feed = createLogFeed(lastId)
  const processesOf = (process: string | undefined) => (process === undefined ? [...logs.keys()] : [process])
  const flush = async (processes: readonly string[]) => {
    await Promise.all(processes.map((process) => logs.get(process)?.file.flush()))
  }

  return {
    names: () => [...logs.keys()].sort(),
    write(spoken) {
      const { process } = spoken
      const log = logs.get(process) ?? addLog(process, 0)
      const us = nowUs()
      const id = us > lastId ? us : lastId + 1
      lastId = id
      const line = ++log.lines
      const text = JSON.stringify({ id, line, at: new Date(Math.floor(us / 1_000)).toISOString(), ...spoken })
      log.file.append(`${text}\n`)
      feed.add({ id, line, process, text })
    },
    async page({ process, since, before = Infinity, limit }) {
      // The files are read one after another: what is written meanwhile would be in some of them only.
      const upTo = Math.min(lastId, before - 1)
      const processes = processesOf(process)
      await flush(processes)
      const place = { folder, processes, upTo }
      const lines = await (since === undefined ? readNewest(place, limit) : readAfter(place, since, limit))
      return { items: lines.flatMap(parseLine), next: lines.at(-1)?.id ?? Math.max(since ?? 0, upTo) }
    },
    async next({ process, since, signal }) {
      for (let from = since; ; ) {
        signal.throwIfAborted()
        if (from >= feed.floor) {
          const lines = feed.after(from, process)
          if (lines.length > 0) return lines
          from = Math.max(from, lastId) // so far there is none of this process
          await feed.more(signal)
        } else {
          const floor = feed.floor // what memory has is not to be read from files: some have it, some not yet
          const processes = processesOf(process)
          await flush(processes)
          const lines = await readAfter({ folder, processes, upTo: floor }, from, NEXT_AT_ONCE)
          if (lines.length > 0) return lines
          from = floor // the files hold no more of what memory has let go
        }
      }
    },
    flushSync() {
      for (const { file } of logs.values()) file.flushSync()
    },
    async close() {
      await Promise.all([...logs.values()].map(({ file }) => file.close()))
    },
  }
}

/** The files lie on one disk: when it is full, that is said once. */
function joinFaults(onFault: LogFilesOptions['onFault']): LogFilesOptions['onFault'] {
  let faults = 0
  return (error) => {
    faults += error ? 1 : -1
    if (error ? faults === 1 : faults === 0) onFault(error)
  }
}

function parseLine({ text }: StoredLine): LogLine[] {
  try {
    return [JSON.parse(text) as LogLine]
  } catch {
    return [] // torn by a crash
  }
}
