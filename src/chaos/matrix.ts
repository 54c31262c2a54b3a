/** All faults, each on an instance of its own, and what came of them. */
import { AppError } from '../lib/errors.ts'
import { mapLimit } from '../lib/map-limit.ts'
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

const DEADLINE_MS = 400_000
/** Nobody knows how long a user's pipeline takes. */
const USER_DEADLINE_MS = 1_800_000
/** Those that are at work, and beside them those that mostly wait: as many as two cores bear. */
const AT_ONCE = { quick: 2, waiting: 4 }
/** A user's pipeline may want the whole machine. */
const USER_AT_ONCE = { quick: 1, waiting: 1 }

export async function runMatrix(options: MatrixOptions): Promise<Report> {
  assertProc()
  const startedMs = performance.now()
  const { faults, seed, work } = options
  const quick = faults.filter(({ waitsS }) => waitsS === undefined)
  const waiting = faults.filter(({ waitsS }) => waitsS !== undefined).sort((a, b) => b.waitsS! - a.waitsS!)
  const done = new Map<Fault, Trial>()
  const one = async (fault: Fault) => done.set(fault, await carryOut(fault, options))
  // Both are awaited also when one fails, which is when the user leaves: each has to give back what it holds.
  const atOnce = work ? USER_AT_ONCE : AT_ONCE
  const lanes = [mapLimit(quick, atOnce.quick, one), mapLimit(waiting, atOnce.waiting, one)]
  for (const lane of await Promise.allSettled(lanes)) if (lane.status === 'rejected') throw lane.reason
  const trials = faults.flatMap((fault) => done.get(fault) ?? [])
  const ok = trials.every(({ outcome }) => outcome !== 'failed')
  return { ok, seed, took_ms: Math.round(performance.now() - startedMs), trials, totals: totalsOf(trials) }
}

async function carryOut(fault: Fault, { seed, signal, work, onBegin, onEnd }: MatrixOptions): Promise<Trial> {
  signal.throwIfAborted()
  onBegin(fault)
  const deadlineMs = work ? USER_DEADLINE_MS : DEADLINE_MS
  // A seed of its own, so that a fault does the same alone and among others.
  const trial = await tryFault(fault, { random: createRandom(`${seed} ${fault.id}`), signal, work, deadlineMs })
  onEnd(trial)
  return trial
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
