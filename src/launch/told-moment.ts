/** Which entry answers for a moment: what happened in it before what happened around it. Pure. */
import type { ChronicleEntry } from './chronicle.ts'
import { AROUND_MS } from './explanation-words.ts'

export type Moment = { fromMs: number; spanMs: number }

export function isAround(moment: Moment, entry: ChronicleEntry): boolean {
  return distanceMs(moment, entry) <= AROUND_MS
}

/** 0 within the moment. */
function distanceMs({ fromMs, spanMs }: Moment, { at }: ChronicleEntry): number {
  const afterMs = Date.parse(at) - fromMs
  return afterMs < 0 ? -afterMs : Math.max(0, afterMs - Math.max(0, spanMs - 1))
}

/** Ends and their reasons say more about a moment than what followed from them. */
const DECISIVE = new Set(['exited', 'parked', 'redis_changed', 'booted', 'boot_failed', 'faulted', 'stopped'])
/** What stays for a while, and says how often it had ended before. */
const GIVEN_UP = new Set(['parked', 'boot_failed', 'faulted'])

/** `own`: all of one process; `turns`: those of them after which it was in another state. */
export function nearest(
  { own, turns }: { own: readonly ChronicleEntry[]; turns: readonly ChronicleEntry[] },
  moment: Moment,
): ChronicleEntry | undefined {
  const around = turns.filter((entry) => isAround(moment, entry))
  const isInside = (entry: ChronicleEntry) => distanceMs(moment, entry) === 0
  const inside = around.filter(isInside)
  const choices = [
    inside.filter(({ event }) => GIVEN_UP.has(event)),
    inside.filter(({ event, facts }) => event === 'exited' && facts.wanted === true),
    inside.filter(({ event }) => event === 'exited'),
    inside.filter(({ event }) => DECISIVE.has(event)),
    inside.filter(({ event }) => event === 'ready'),
    inside,
    own.filter(isInside).map((entry) => subjectOf(own, entry)),
    own.filter((entry) => isAround(moment, entry) && isRestart(entry, around)),
    around,
  ]
  const best = choices.find((entries) => entries.length > 0) ?? []
  return best.toSorted((a, b) => distanceMs(moment, a) - distanceMs(moment, b))[0]
}

/** A replacement changes no state, and is what somebody means who asks why it restarted. */
function isRestart(entry: ChronicleEntry, turns: readonly ChronicleEntry[]): boolean {
  return entry.event === 'replacing' || (DECISIVE.has(entry.event) && turns.includes(entry))
}

/** What is to be told of an entry that changed no state: the replacement of which it was a step, or its cause. */
function subjectOf(own: readonly ChronicleEntry[], entry: ChronicleEntry): ChronicleEntry {
  if (isStep(entry))
    return own.findLast(({ id, event, run }) => event === 'replacing' && id <= entry.id && run === entry.run) ?? entry
  const next = own.find(({ id, cause }) => (entry.event === 'operator_asked' ? cause === entry.id : id === entry.cause))
  return next ?? entry
}

/** Beside the process that serves there is a successor on its way in, or a predecessor on its way out. */
function isStep({ event, process, facts }: ChronicleEntry): boolean {
  return STEPS.has(event) || (typeof facts.name === 'string' && facts.name !== process)
}

const STEPS = new Set(['replacing', 'replaced', 'replace_failed'])
