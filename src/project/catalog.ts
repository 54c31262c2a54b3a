/** The list of all projects, kept in memory; what changes is what is open. */
import { readdir } from 'node:fs/promises'
import { errnoOf, messageOf } from '../lib/errors.ts'
import { type Log, silentLog } from '../lib/log.ts'
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

export function createCatalog(store: ProjectStore, log: Pick<Log, 'warn'> = silentLog): Catalog {
  const shelf = createShelf()
  const file = createCatalogFile(store.layout.catalog)
  const summarise = createSummariser(store, log)
  /** Read at the next look also when they have ended by then: open or unreadable at the last one, or made since. */
  const awaited = new Set<string>()
  let loading: Promise<void> | undefined

  async function load(): Promise<void> {
    const lines = await file.read()
    for (const line of lines) {
      if ('deleted' in line) shelf.remove(line.id)
      else shelf.put(line)
    }
    const folders = new Set(await readdir(store.layout.projects).catch(noneYet))
    for (const { id } of shelf.newestFirst()) if (!folders.has(id)) shelf.remove(id)
    await learn([...folders].filter((id) => !shelf.has(id)))
    for (const summary of shelf.newestFirst()) if (!isEnded(summary)) awaited.add(summary.id)
    if (lines.length > COMPACT_FROM && shelf.size() < lines.length / 2) await file.replace(shelf.newestFirst())
  }

  /** Takes projects up that the file does not know. */
  async function learn(ids: string[]): Promise<void> {
    const found: ProjectSummary[] = []
    for (const id of ids) {
      const summary = await summarise(id)
      if (summary === 'unreadable') awaited.add(id)
      else if (summary) found.push(summary)
    }
    await record(found)
  }

  async function record(summaries: ProjectSummary[]): Promise<void> {
    for (const summary of summaries) shelf.put(summary)
    if (summaries.length > 0) await file.append(summaries)
  }

  async function refresh(): Promise<void> {
    loading ??= load().catch((error) => {
      loading = undefined // else every later look would fail for what was wrong at the first
      throw error
    })
    await loading
    const now = new Set(await store.openIds())
    const ended: ProjectSummary[] = []
    for (const id of new Set([...now, ...awaited])) {
      awaited.delete(id) // before it is read: whoever asks for it meanwhile is heard
      const summary = await summarise(id)
      if (!summary) shelf.remove(id)
      else if (summary === 'unreadable') awaited.add(id)
      else if (now.has(id) && !isEnded(summary)) {
        shelf.put(summary)
        awaited.add(id)
      } else ended.push(summary)
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
      return countsOf(shelf.newestFirst())
    },
    note: (id) => void awaited.add(id),
    async forget(id) {
      awaited.delete(id)
      if (shelf.remove(id)) await file.append([{ id, deleted: true }])
    },
  }
}

function countsOf(all: readonly ProjectSummary[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of all) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

function isEnded(summary: ProjectSummary): boolean {
  return summary.status === 'completed' || summary.status === 'failed' || summary.status === 'cancelled'
}

function noneYet(error: unknown): string[] {
  if (errnoOf(error) === 'ENOENT') return []
  throw error // they are there, and must not be taken for deleted
}

/** Undefined: deleted, or a folder of another kind. What cannot be read keeps no other project out of the list; why is said once. */
function createSummariser(store: ProjectStore, log: Pick<Log, 'warn'>) {
  const troubles = new Map<string, string>()
  return async (id: string): Promise<ProjectSummary | 'unreadable' | undefined> => {
    try {
      const summary = summaryOf((await store.open(id)).read().state)
      troubles.delete(id)
      return summary
    } catch (error) {
      if ((error as { code?: string }).code === 'not_found') return undefined
      const reason = errnoOf(error) ?? messageOf(error)
      if (troubles.get(id) !== reason) log.warn({ project_id: id, error: messageOf(error) }, 'a project cannot be read')
      troubles.set(id, reason)
      return 'unreadable'
    }
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
