/** The logs as the API asks for them: by names of processes, with cursors that are texts. */
import type { LogFrame, LogReader } from '../api/deps.ts'
import { slotOf } from './entries.ts'
import { unknownProcess } from './explainer.ts'
import type { LogFiles } from './log-files.ts'
import type { StoredLine } from './log-pages.ts'

/** `others`: processes that need not have printed anything. Throws `not_found` for one that nobody knows. */
export function createLogReader(
  logs: Pick<LogFiles, 'names' | 'page' | 'next'>,
  others: () => Promise<readonly string[]>,
): LogReader {
  async function slotIn(process: string | undefined): Promise<string | undefined> {
    if (process === undefined) return undefined
    const slot = slotOf(process)
    const logged = logs.names()
    if (logged.includes(slot)) return slot
    const known = new Set([...logged, ...(await others())])
    if (known.has(slot)) return slot
    throw unknownProcess(process, known)
  }

  return {
    async page({ process, since, before, limit }) {
      const place = { process: await slotIn(process), since: sinceOf(since), before: sinceOf(before) }
      const { items, next } = await logs.page({ ...place, limit })
      return { items, next: String(next) }
    },
    async follow(query) {
      return followFrom(logs, { ...query, process: await slotIn(query.process) })
    },
  }
}

/** A cursor, or a time: the first line at that moment is wanted too. */
export function sinceOf(since: string | undefined): number | undefined {
  if (since === undefined) return undefined
  const id = /^\d+(?=,|$)/.exec(since)?.[0]
  return id === undefined ? Date.parse(since) * 1_000 - 1 : Number(id)
}

type Following = Parameters<LogReader['follow']>[0]
type Frames = Awaited<ReturnType<LogReader['follow']>>

async function* followFrom(logs: Pick<LogFiles, 'page' | 'next'>, query: Following): Frames {
  const { process, signal, limit } = query
  const gaps = createGaps(query.since)
  let since = sinceOf(query.since)
  if (since === undefined) {
    const { items, next } = await logs.page({ process, limit })
    yield items.map((item) => gaps.pass(item, JSON.stringify(item)))
    since = next
  }
  for (;;) {
    const lines: StoredLine[] = await logs.next({ process, since, signal })
    since = lines.at(-1)!.id
    yield lines.flatMap((line) => [...gaps.before(line), gaps.pass(line, line.text)])
  }
}

type Numbered = { id: number; process: string; line: number }

/**
 * Numbers that are missing are lines that could not be kept until this reader came for them. The last numbers are part
 * of the cursor, `<id>,<process>:<line>,…`, so that who comes back with it is told what has gone meanwhile.
 */
function createGaps(since = '') {
  const last = new Map<string, number>()
  for (const [, process, line] of since.matchAll(/,([\w-]+):(\d+)/g)) last.set(process!, Number(line))
  return {
    before({ process, line }: Numbered): LogFrame[] {
      const missing = line - (last.get(process) ?? line - 1) - 1
      return missing > 0 ? [{ cursor: '', json: JSON.stringify({ lost: missing, process }) }] : []
    },
    pass({ id, process, line }: Numbered, json: string): LogFrame {
      last.set(process, line)
      let cursor = String(id)
      for (const [name, number] of last) cursor += `,${name}:${number}`
      return { cursor, json }
    },
  }
}
