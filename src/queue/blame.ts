/** Who is to blame for a worker's end: only what can be attributed is charged, so that no neighbour pays for it. */
import type { WorkerExit } from '../project/records.ts'
import type { StackTop } from '../supervisor/facts.ts'
import { isFromOutside } from '../supervisor/processes.ts'
import { STUCK_EXIT } from './job.ts'

/** How a worker process ended. */
export type WorkerDeath = {
  worker: string
  pid: number | null
  code: number | null
  signal: string | null
  reason: string
  /** Why the supervisor killed it, if it did for a reason: it hung. */
  killedFor: string | null
  /** Where its main thread was then, and for which task. */
  where: StackTop | null
  /** The last that it printed. */
  lines: readonly string[]
  /** The task in whose code the process ended itself, if it could still say so. */
  lastTask: string | null
  /** The kernel has killed somebody for want of memory just now. */
  outOfMemory: boolean
}

/** `charged` did it; each of `suspects` may have done it. Whoever is in neither is innocent. */
export type Blame<T> = { charged: T | null; suspects: readonly T[] }

/** As it should, or for the sake of a stage that has failed already. */
const BLAMELESS_EXITS: ReadonlySet<number> = new Set([0, STUCK_EXIT])

/**
 * Judges from what ran in the process at its end. `orphans` is how many stages beside them may have run on without
 * a claim, cancelled or superseded: any of those may have done it too, and cannot be charged.
 */
export function blame<T extends { taskId: string }>(
  running: readonly T[],
  death: WorkerDeath,
  orphans: number,
): Blame<T> {
  if (!isOwnEnd(death)) return { charged: null, suspects: [] }
  const task = death.lastTask ?? death.where?.scope ?? null
  // The task may have ended before, and left something behind that did this: then nobody here is guilty.
  if (task !== null) return { charged: running.find((job) => job.taskId === task) ?? null, suspects: [] }
  if (running.length === 1 && orphans === 0) return { charged: running[0]!, suspects: [] }
  return { charged: null, suspects: running }
}

/** False for a kill or a stop from outside: one alone says nothing about the work (see launch/outside-kills.ts). */
export function isOwnEnd(death: WorkerDeath): boolean {
  const { code, signal, killedFor, lastTask, outOfMemory } = death
  if (lastTask !== null) return true // whatever the code: a stage has no business ending its process
  if (killedFor !== null) return !WAS_STOPPED.test(killedFor) && !WAS_OVERDUE.test(killedFor)
  if (signal !== null) return !isFromOutside(death) || (signal === 'SIGKILL' && outOfMemory)
  return code !== null && !BLAMELESS_EXITS.has(code)
}

/** As supervisor/suspicions.ts words it. */
const WAS_STOPPED = /^was stopped by a signal/
/** As launch/overdue.ts words it: that stage has failed already. */
const WAS_OVERDUE = /^held .*, which was still running \d+ s after its time limit/

/** The exit in words, with what makes it understood: no memory, the error nobody caught, or where it hung. */
export function exitOf(death: WorkerDeath): WorkerExit {
  const { worker, reason } = death
  const known = [lackOfMemory(death), hangingPlace(death)].filter((part) => part !== null).join(' ')
  const why = known || uncaughtError(death.lines)
  return { worker, reason: why ? `${reason} (${why})` : reason, at: new Date().toISOString() }
}

function hangingPlace({ reason, where }: WorkerDeath): string | null {
  if (where === null || reason.includes(`${where.file}:${where.line}`)) return null
  return `in ${where.function}, ${where.file}:${where.line}`
}

function lackOfMemory({ signal, lines, outOfMemory }: WorkerDeath): string | null {
  if (signal === 'SIGABRT' && lines.some((line) => line.includes('heap out of memory'))) return 'out of memory'
  return signal === 'SIGKILL' && outOfMemory ? 'the machine was out of memory' : null
}

const MAX_ERROR_LENGTH = 200

/** As preload.ts prints it. */
function uncaughtError(lines: readonly string[]): string | null {
  const line = lines.findLast((text) => /^(Uncaught error|Unhandled rejection): /.test(text))
  return line?.slice(0, MAX_ERROR_LENGTH) ?? null
}
