/** Summaries in memory, always in order: a list of ten thousand must not be sorted for every request. */
import type { ProjectSummary } from './project.ts'

export type Shelf = {
  put(summary: ProjectSummary): void
  remove(id: string): boolean
  has(id: string): boolean
  size(): number
  newestFirst(): ProjectSummary[]
}

export function createShelf(): Shelf {
  const byId = new Map<string, ProjectSummary>()
  /** Ids, newest first; undefined when it has to be made anew. */
  let order: string[] | undefined = []

  function place(summary: ProjectSummary): void {
    const newest = order?.[0] === undefined ? undefined : byId.get(order[0])
    if (order && (!newest || sortKey(summary) > sortKey(newest))) order.unshift(summary.id)
    else order = undefined
  }

  return {
    put(summary) {
      if (!byId.has(summary.id)) place(summary)
      byId.set(summary.id, summary)
    },
    remove(id) {
      if (!byId.delete(id)) return false
      order = order?.filter((other) => other !== id)
      return true
    },
    has: (id) => byId.has(id),
    size: () => byId.size,
    newestFirst() {
      order ??= [...byId.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1)).map((s) => s.id)
      return order.map((id) => byId.get(id)!)
    },
  }
}

/** Sorts by creation; the id decides between projects of the same millisecond. */
export function sortKey(summary: ProjectSummary): string {
  return `${summary.created_at} ${summary.id}`
}
