/** From samples to the figures in the table: pure, because a benchmark is only as good as its sums. */
import type { Finding, Goal } from './benchmark.ts'

export type Figures = {
  ours: number
  reference: number | null
  ratio: number | null
  /** Null when there is no goal, or nothing to hold it against. */
  met: boolean | null
}

const PERCENTS = { p95: 95, p99: 99 }

export function figuresOf(finding: Finding): Figures {
  const ours = summarise(finding.ours, finding.statistic)
  const reference = finding.reference.length === 0 ? null : summarise(finding.reference, finding.statistic)
  const ratio = reference === null || reference === 0 ? null : ours / reference
  const difference = reference === null ? null : ours - reference
  const values = { ours, ratio, difference }
  return { ours, reference, ratio, met: finding.goal && isMet(finding.goal, values[finding.goal.of]) }
}

function summarise(samples: readonly number[], statistic: Finding['statistic']): number {
  return statistic === 'median' ? median(samples) : percentile(samples, PERCENTS[statistic])
}

/** The mean of the two in the middle when their number is even. Throws without samples: no figure is better than a false one. */
export function median(samples: readonly number[]): number {
  const sorted = inOrder(samples)
  const middle = sorted.length / 2
  return (sorted[Math.ceil(middle - 1)]! + sorted[Math.floor(middle)]!) / 2
}

/** Nearest rank: a value that was really measured. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = inOrder(samples)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
}

function inOrder(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError('no sample was measured')
  return [...samples].sort((a, b) => a - b)
}

function isMet(goal: Goal, value: number | null): boolean | null {
  if (value === null) return null
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}
