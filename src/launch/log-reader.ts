/** The logs as the API asks for them: by names of processes, with cursors that are texts. */
import type { LogReader } from '../api/deps.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { slotOf } from './entries.ts'
import { unknownProcess } from './explainer.ts'
import type { LogFiles } from './log-files.ts'
import type { StoredLine } from './log-pages.ts'

/** Throws `not_found` for a process that has no log and does not run. */
export function createLogReader(
  logs: Pick<LogFiles, 'names' | 'page' | 'next'>,
  children: () => ChildStatus[],
): LogReader {
  function slotIn(process: string | undefined): string | undefined {
    if (process === undefined) return undefined
    const slot = slotOf(process)
    const known = new Set([...logs.names(), ...children().map((child) => child.slot)])
    if (known.has(slot)) return slot
    throw unknownProcess(process, known)
  }

  return {
    async page({ process, since, limit }) {
      const { items, next } = await logs.page({ process: slotIn(process), since: sinceOf(since), limit })
      return { items, next: String(next) }
    },
    follow(query) {
      return followFrom(logs, { ...query, process: slotIn(query.process) })
    },
  }
}

/** A cursor, or a time: the first line at that moment is wanted too. */
export function sinceOf(since: string | undefined): number | undefined {
  if (since === undefined) return undefined
  return /^\d+$/.test(since) ? Number(since) : Date.parse(since) * 1_000 - 1
}

type Following = Parameters<LogReader['follow']>[0]

async function* followFrom(logs: Pick<LogFiles, 'page' | 'next'>, query: Following): ReturnType<LogReader['follow']> {
  const { process, signal, limit } = query
  const gaps = createGaps()
  let since = sinceOf(query.since)
  if (since === undefined) {
    const { items, next } = await logs.page({ process, limit })
    for (const item of items) gaps.before(item)
    yield items.map((item) => ({ cursor: String(item.id), json: JSON.stringify(item) }))
    since = next
  }
  for (;;) {
    const lines: StoredLine[] = await logs.next({ process, since, signal })
    since = lines.at(-1)!.id
    yield lines.flatMap((line) => [...gaps.before(line), { cursor: String(line.id), json: line.text }])
  }
}

/** Numbers that are missing are lines that could not be kept until this reader came for them. */
function createGaps() {
  const last = new Map<string, number>()
  return {
    before({ process, line }: { process: string; line: number }): { cursor: string; json: string }[] {
      const missing = line - (last.get(process) ?? line - 1) - 1
      last.set(process, line)
      return missing > 0 ? [{ cursor: '', json: JSON.stringify({ lost: missing, process }) }] : []
    },
  }
}
