/** How long a fault was felt: from the blow to the moment at which what it interrupted runs again. Pure. */
import type { Attempt, History } from './history.ts'

/** One blow, by the wall clock that journals use. */
export type Strike = {
  atMs: number
  /** The processes that it hit. */
  pids: readonly number[]
  /** From the blow until the program knew; null when there is nothing to notice. */
  noticedMs: number | null
}

/**
 * For each attempt that was interrupted in one of the processes: milliseconds until the next attempt of its
 * stage, if there was to be one. Where none was interrupted, the time until the next stage of all was begun.
 */
export function recoveriesOf(histories: readonly History[], strike: Strike): number[] {
  const hit = histories.flatMap(({ attempts }) =>
    attempts.filter((attempt) => wasHit(attempt, strike)).map((attempt) => successor(attempts, attempt)),
  )
  if (hit.length > 0) return hit.flatMap((next) => (next ? [next.atMs - strike.atMs] : []))
  const later = histories.flatMap(({ claimsMs }) => claimsMs.filter((atMs) => atMs > strike.atMs))
  return later.length === 0 ? [] : [Math.min(...later) - strike.atMs]
}

/** It ran in one of the processes, and did not get through all the same. */
function wasHit({ owner, atMs, endMs, completions }: Attempt, strike: Strike): boolean {
  const ran = atMs <= strike.atMs && (endMs === null || endMs > strike.atMs)
  return ran && completions === 0 && strike.pids.includes(owner.pid)
}

function successor(attempts: readonly Attempt[], { stage, fence }: Attempt): Attempt | undefined {
  return attempts.find((attempt) => attempt.stage === stage && attempt.supersedes === fence)
}

export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
