/** Fault after fault, each on an instance of its own, and what came of them all. */
import { AppError } from '../lib/errors.ts'
import type { FindingKind } from './audit.ts'
import type { Fault } from './fault.ts'
import { FAULTS } from './faults.ts'
import { createRandom } from './random.ts'
import { type Trial, tryFault } from './trial.ts'
import type { Work } from './work.ts'

export type MatrixOptions = {
  faults: readonly Fault[]
  seed: string
  signal: AbortSignal
  /** The user's pipeline in place of ours. */
  work?: Work
  onBegin(fault: Fault): void
  onEnd(trial: Trial): void
}

export type Totals = Record<FindingKind, number> & { projects: number; repeated: number }

export type Report = { ok: boolean; seed: string; took_ms: number; trials: Trial[]; totals: Totals }

const DEADLINE_MS = 120_000
/** Nobody knows how long a user's pipeline takes. */
const USER_DEADLINE_MS = 1_800_000

export async function runMatrix({ faults, seed, signal, work, onBegin, onEnd }: MatrixOptions): Promise<Report> {
  assertProc()
  const startedMs = performance.now()
  const trials: Trial[] = []
  for (const fault of faults) {
    onBegin(fault)
    const deadlineMs = work ? USER_DEADLINE_MS : DEADLINE_MS
    // A seed of its own, so that a fault alone does what it does among others.
    const trial = await tryFault(fault, { random: createRandom(`${seed} ${fault.id}`), signal, work, deadlineMs })
    trials.push(trial)
    onEnd(trial)
  }
  const ok = trials.every(({ outcome }) => outcome !== 'failed')
  return { ok, seed, took_ms: Math.round(performance.now() - startedMs), trials, totals: totalsOf(trials) }
}

/** Throws for a name that is none. Without names, all that fit. */
export function chooseFaults(only: readonly string[], { ofUser = false } = {}): Fault[] {
  const fitting = FAULTS.filter((fault) => !(ofUser && fault.oursOnly))
  if (only.length === 0) return fitting
  return only.map((id) => {
    const fault = fitting.find((one) => one.id === id)
    if (fault) return fault
    const known = fitting.map((one) => one.id).join(', ')
    throw new AppError('invalid_value', `There is no fault "${id}" here; these are: ${known}`)
  })
}

/** What is left and who is hit is read from /proc; without it every proof here would be a guess. */
export function assertProc(): void {
  if (process.platform === 'linux') return
  throw new AppError('unavailable', 'chaos needs Linux: it finds processes, and proves that none is left, by /proc')
}

function totalsOf(trials: readonly Trial[]): Totals {
  const count = (kind: FindingKind) =>
    trials.reduce((sum, { findings }) => sum + findings.filter((finding) => finding.kind === kind).length, 0)
  const sum = (of: (trial: Trial) => number) => trials.reduce((total, trial) => total + of(trial), 0)
  return {
    ...{ lost: count('lost'), doubled: count('doubled'), torn: count('torn'), left: count('left') },
    wrong: count('wrong'),
    projects: sum(({ projects }) => projects),
    repeated: sum(({ repeated }) => repeated ?? 0),
  }
}
