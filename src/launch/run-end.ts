/** How a run of the program came to its end, told from what it has left in the chronicle. Pure. */
import type { ChronicleEntry } from './chronicle.ts'

/** `lost`: killed, or the power failed. `reason` is one line, of `boot_failed` and `faulted` only. */
export type RunEnd = {
  how: 'stopped' | 'boot_failed' | 'faulted' | 'lost'
  at: string
  reason: string | null
  /** Of `lost`: `at` is the last sign of life; else only the last change of a state, which may be days before. */
  heard?: boolean
}

/** Of the run that has written last; null when there was none. `heardMs`: its last sign of life, where one is known. */
export function endOfRun(entries: readonly ChronicleEntry[], heardMs: number | null = null): RunEnd | null {
  const last = entries.at(-1)
  if (!last) return null
  const own = entries.filter(({ run, process }) => run === last.run && process === 'supervisor')
  // A fault may hit a stop; and processes that end after the program has given up are told of later.
  const end = own.findLast(({ event }) => event === 'faulted') ?? own.findLast(({ event }) => isEnd(event))
  if (!end) return lostAfter(last, heardMs)
  const reason = end.event === 'stopped' ? null : reasonOf(end)
  return { how: end.event as RunEnd['how'], at: end.at, reason }
}

function lostAfter({ at }: ChronicleEntry, heardMs: number | null): RunEnd {
  if (heardMs === null) return { how: 'lost', at, reason: null, heard: false }
  return { how: 'lost', at: new Date(Math.max(heardMs, Date.parse(at))).toISOString(), reason: null, heard: true }
}

/** Of a run that was lost: what its time means. */
export function heardWords({ heard }: Pick<RunEnd, 'heard'>): string {
  return heard ? 'last heard of' : 'last change'
}

/** Why the program did not start, or did not go on. */
export function reasonOf({ facts }: ChronicleEntry): string {
  return typeof facts.reason === 'string' ? oneLine(facts.reason) : 'its log says why'
}

const LINE_LENGTH = 300

/** Reasons may go on with the output of a process, or a stack. */
export function oneLine(reason: string): string {
  const [line = ''] = reason.split('\n', 1)
  return line
    .slice(0, LINE_LENGTH)
    .trim()
    .replace(/[.;:]$/, '')
}

function isEnd(event: string): boolean {
  return event === 'stopped' || event === 'boot_failed'
}
