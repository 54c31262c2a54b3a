/** The list of all projects: rebuilt from folders when lost, kept in memory, logged to one small file. */
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { errnoOf } from '../lib/errors.ts'
import { writeAtomic } from '../lib/files.ts'
import { type ProjectSummary, summaryOf } from './project.ts'
import type { ProjectStore } from './store.ts'

export type ListQuery = { status?: string; pipeline?: string; q?: string; owner?: string; limit: number; cursor?: string }
export type ListPage = { items: ProjectSummary[]; next_cursor: string | null }

export type Catalog = {
  /** Newest first. Open projects are read from their journals, ended ones from memory. */
  list(query: ListQuery): Promise<ListPage>
  /** How many projects have each status. */
  counts(): Promise<Record<string, number>>
  forget(id: string): Promise<void>
  /** A project was made: it is looked at by the next list even if it has ended by then. */
  note(id: string): void
}

/** A line of the file: a summary, or the id of a project that was deleted. */
type Line = ProjectSummary | { id: string; deleted: true }

/** More superseded lines than this share make the file worth writing anew. */
const COMPACT_SHARE = 0.5

export function createCatalog(store: ProjectStore): Catalog {
  const known = new Map<string, ProjectSummary>()
  /** Ids that were open at the last look: those that left since are read once more. */
  let open = new Set<string>()
  /** Made since the last look; it may have ended before anybody saw it open. */
  const made = new Set<string>()
  let loading: Promise<void> | undefined
  let sorted: ProjectSummary[] | undefined

  async function load(): Promise<void> {
    const lines = await readLines(store.layout.catalog)
    for (const line of lines) {
      if ('deleted' in line) known.delete(line.id)
      else known.set(line.id, line)
    }
    const folders = await readdir(store.layout.projects).catch(() => [] as string[]) // none yet
    const present = new Set(folders)
    for (const id of known.keys()) if (!present.has(id)) known.delete(id)
    await learn(folders.filter((id) => !known.has(id)))
    open = new Set([...known.values()].filter((s) => !isEnded(s)).map((s) => s.id))
    if (lines.length > 100 && known.size < lines.length * COMPACT_SHARE) await compact()
  }

  /** Takes projects up that the file does not know. */
  async function learn(ids: string[]): Promise<void> {
    const found: ProjectSummary[] = []
    for (const id of ids) {
      const summary = await summarise(store, id)
      if (summary) found.push(summary)
    }
    await record(found)
  }

  async function record(summaries: ProjectSummary[]): Promise<void> {
    if (summaries.length === 0) return
    for (const summary of summaries) known.set(summary.id, summary)
    sorted = undefined
    await appendFile(store.layout.catalog, summaries.map((s) => `${JSON.stringify(s)}\n`).join(''))
  }

  async function compact(): Promise<void> {
    await writeAtomic(store.layout.catalog, [...known.values()].map((s) => `${JSON.stringify(s)}\n`).join(''))
  }

  async function refresh(): Promise<void> {
    loading ??= load()
    await loading
    const now = new Set(await store.openIds())
    const ended: ProjectSummary[] = []
    const changed = new Set([...now, ...open, ...made])
    made.clear()
    for (const id of changed) {
      const summary = await summarise(store, id)
      if (!summary) known.delete(id)
      else if (now.has(id) && !isEnded(summary)) known.set(id, summary)
      else ended.push(summary)
    }
    open = now
    sorted = undefined
    await record(ended)
  }

  function newestFirst(): ProjectSummary[] {
    sorted ??= [...known.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1))
    return sorted
  }

  return {
    async list(query) {
      await refresh()
      return page(newestFirst(), query)
    },
    async counts() {
      await refresh()
      const counts: Record<string, number> = {}
      for (const { status } of known.values()) counts[status] = (counts[status] ?? 0) + 1
      return counts
    },
    note: (id) => void made.add(id),
    async forget(id) {
      open.delete(id)
      if (!known.delete(id)) return
      sorted = undefined
      await appendFile(store.layout.catalog, `${JSON.stringify({ id, deleted: true })}\n`)
    },
  }
}

function isEnded(summary: ProjectSummary): boolean {
  return summary.status === 'completed' || summary.status === 'failed' || summary.status === 'cancelled'
}

async function readLines(path: string): Promise<Line[]> {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (errnoOf(error) === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').flatMap((line) => parseLine(line))
}

/** A torn last line is no loss: the project's own folder has it all. */
function parseLine(line: string): Line[] {
  try {
    const parsed = JSON.parse(line) as Line
    return typeof parsed.id === 'string' ? [parsed] : []
  } catch {
    return []
  }
}

async function summarise(store: ProjectStore, id: string): Promise<ProjectSummary | undefined> {
  try {
    return summaryOf((await store.open(id)).read().state)
  } catch (error) {
    if ((error as { code?: string }).code === 'not_found') return undefined // deleted, or a folder of another kind
    throw error
  }
}

function sortKey(summary: ProjectSummary): string {
  return `${summary.created_at} ${summary.id}`
}

function page(all: ProjectSummary[], query: ListQuery): ListPage {
  const after = query.cursor === undefined ? undefined : Buffer.from(query.cursor, 'base64url').toString()
  const items: ProjectSummary[] = []
  for (const summary of all) {
    if (after !== undefined && sortKey(summary) >= after) continue
    if (!matches(summary, query)) continue
    if (items.length === query.limit) return { items, next_cursor: cursorOf(items.at(-1)!) }
    items.push(summary)
  }
  return { items, next_cursor: null }
}

function cursorOf(summary: ProjectSummary): string {
  return Buffer.from(sortKey(summary)).toString('base64url')
}

function matches(summary: ProjectSummary, query: ListQuery): boolean {
  if (query.status !== undefined && summary.status !== query.status) return false
  if (query.pipeline !== undefined && summary.pipeline !== query.pipeline) return false
  if (query.owner !== undefined && summary.owner !== query.owner) return false
  const wanted = query.q?.toLowerCase()
  return !wanted || summary.title.toLowerCase().includes(wanted) || summary.id.startsWith(wanted)
}
