/** What a benchmark is, and what it finds: plain values, so that table, JSON and tests read the same. */

export type Unit = 'ms' | 's' | 'MB' | 'KB' | 'connections' | 'kills' | '%' | '/s' | '×'

/** Of what the goal speaks: our own figure, ours divided by the reference, or ours minus the reference. */
export type Goal = { of: 'ours' | 'ratio' | 'difference' } & ({ atMost: number } | { atLeast: number })

/** Every sample is kept; `statistic` says which one figure stands for them. */
export type Finding = {
  name: string
  unit: Unit
  statistic: 'median' | 'p95' | 'p99'
  ours: number[]
  /** Measured in the same run, alternating with ours; empty when nothing outside compares. */
  reference: number[]
  goal: Goal | null
  /** What the figure is made of, for those who optimise. */
  parts?: Part[]
}

export type Part = { name: string; value: number; unit: Unit }

export type Bench = {
  /** How often to measure. */
  runs: number
  /** How long, for those that watch for long; null when the user does not say. */
  minutes: number | null
  signal: AbortSignal
  /** Says what is going on, to people who wait. */
  say(sentence: string): void
  /** A new folder outside of the repository, removed when the benchmark has ended. */
  folder(): Promise<string>
}

export type Benchmark = {
  name: string
  /** What is measured, beside what. */
  what: string
  goal: string
  /** When the user does not say how many. */
  runs: number
  run(bench: Bench): Promise<Finding[]>
}
