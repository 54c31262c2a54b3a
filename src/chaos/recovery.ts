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
 * For each attempt that ran in one of the processes: milliseconds until the next attempt of its stage.
 * Where no attempt was interrupted, the time until the next stage of all was begun.
 */
export function recoveriesOf(histories: readonly History[], strike: Strike): number[] {
  const again = histories.flatMap(({ attempts }) =>
    attempts.filter((attempt) => wasHit(attempt, strike)).flatMap((attempt) => successor(attempts, attempt) ?? []),
  )
  if (again.length > 0) return again.map((next) => next.atMs - strike.atMs)
  const later = histories.flatMap(({ claimsMs }) => claimsMs.filter((atMs) => atMs > strike.atMs))
  return later.length === 0 ? [] : [Math.min(...later) - strike.atMs]
}

function wasHit({ owner, atMs, endMs }: Attempt, strike: Strike): boolean {
  return strike.pids.includes(owner.pid) && atMs <= strike.atMs && (endMs === null || endMs > strike.atMs)
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
