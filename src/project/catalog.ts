/** The list of all projects, kept in memory; what changes is what is open. */
import { readdir } from 'node:fs/promises'
import { createCatalogFile } from './catalog-file.ts'
import { type ProjectSummary, summaryOf } from './project.ts'
import { createShelf, sortKey } from './shelf.ts'
import type { ProjectStore } from './store.ts'

export type ListQuery = {
  status?: string
  pipeline?: string
  q?: string
  owner?: string
  limit: number
  cursor?: string
}
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

/** From so many lines on, a file of which more than half is superseded is written anew. */
const COMPACT_FROM = 100

export function createCatalog(store: ProjectStore): Catalog {
  const shelf = createShelf()
  const file = createCatalogFile(store.layout.catalog)
  /** Ids that were open at the last look: those that left since are read once more. */
  let open = new Set<string>()
  /** Made since the last look; it may have ended before anybody saw it open. */
  const made = new Set<string>()
  let loading: Promise<void> | undefined

  async function load(): Promise<void> {
    const lines = await file.read()
    for (const line of lines) {
      if ('deleted' in line) shelf.remove(line.id)
      else shelf.put(line)
    }
    const folders = new Set(await readdir(store.layout.projects).catch(() => [] as string[])) // none yet
    for (const { id } of shelf.newestFirst()) if (!folders.has(id)) shelf.remove(id)
    await learn([...folders].filter((id) => !shelf.has(id)))
    open = new Set(shelf.newestFirst().flatMap((s) => (isEnded(s) ? [] : [s.id])))
    if (lines.length > COMPACT_FROM && shelf.size() < lines.length / 2) await file.replace(shelf.newestFirst())
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
    for (const summary of summaries) shelf.put(summary)
    if (summaries.length > 0) await file.append(summaries)
  }

  async function refresh(): Promise<void> {
    loading ??= load()
    await loading
    const now = new Set(await store.openIds())
    const changed = new Set([...now, ...open, ...made])
    open = now
    made.clear()
    const ended: ProjectSummary[] = []
    for (const id of changed) {
      const summary = await summarise(store, id)
      if (!summary) shelf.remove(id)
      else if (now.has(id) && !isEnded(summary)) shelf.put(summary)
      else ended.push(summary)
    }
    await record(ended)
  }

  return {
    async list(query) {
      await refresh()
      return page(shelf.newestFirst(), query)
    },
    async counts() {
      await refresh()
      const counts: Record<string, number> = {}
      for (const { status } of shelf.newestFirst()) counts[status] = (counts[status] ?? 0) + 1
      return counts
    },
    note: (id) => void made.add(id),
    async forget(id) {
      open.delete(id)
      made.delete(id)
      if (shelf.remove(id)) await file.append([{ id, deleted: true }])
    },
  }
}

function isEnded(summary: ProjectSummary): boolean {
  return summary.status === 'completed' || summary.status === 'failed' || summary.status === 'cancelled'
}

async function summarise(store: ProjectStore, id: string): Promise<ProjectSummary | undefined> {
  try {
    return summaryOf((await store.open(id)).read().state)
  } catch (error) {
    if ((error as { code?: string }).code === 'not_found') return undefined // deleted, or a folder of another kind
    throw error
  }
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
