/** Kills from outside that hit one task again and again: when it runs alone then, it sends them itself. Pure bookkeeping. */

export type OutsideKills = {
  /** It was hit not long ago: whether it has come further since tells whether this is the same once more. */
  isKnown(taskId: string): boolean
  /** One kill. Gives how often in a row each of the tasks was hit, in the same place. */
  note(hits: readonly Hit[]): ReadonlyMap<string, number>
  /** A kill of a process in which no stage ran: it cannot have come from one. */
  noteForeign(): void
}

/** What ran in the process; `steps`: how many of its steps are remembered. */
type Hit = { taskId: string; steps: number }
type Known = { steps: number; times: number; atMs: number }

/** A stage may work for minutes before it does it again. */
const REMEMBERED_MS = 600_000
const MAX_KNOWN = 1_000
/** Whoever kills other processes too, as a test of this program does by the hundred, has hit stages by chance. */
const EXCUSED_MS = 60_000

export function createOutsideKills(nowMs: () => number = () => performance.now()): OutsideKills {
  const known = new Map<string, Known>()
  let excusedUntilMs = Number.NEGATIVE_INFINITY

  function forgetOld(): void {
    for (const [taskId, { atMs }] of known) if (nowMs() - atMs > REMEMBERED_MS) known.delete(taskId)
  }

  function remember({ taskId, steps }: Hit, times: number): void {
    known.delete(taskId)
    known.set(taskId, { steps, times, atMs: nowMs() })
    const [oldest] = known.keys()
    if (known.size > MAX_KNOWN && oldest) known.delete(oldest)
  }

  return {
    isKnown(taskId) {
      forgetOld()
      return known.has(taskId)
    },
    note(hits) {
      forgetOld()
      if (nowMs() < excusedUntilMs) return new Map()
      const isAgain = ({ taskId, steps }: Hit) => known.get(taskId)?.steps === steps
      // Stages that all end their workers do not excuse one another, for from the second time on they are known.
      if (!hits.some(isAgain)) for (const one of known.values()) one.times = 0
      const counts = hits.map((hit) => ({ hit, times: isAgain(hit) ? known.get(hit.taskId)!.times + 1 : 1 }))
      for (const { hit, times } of counts) remember(hit, times)
      return new Map(counts.map(({ hit, times }) => [hit.taskId, times]))
    },
    noteForeign() {
      known.clear()
      excusedUntilMs = nowMs() + EXCUSED_MS
    },
  }
}
