/** Why a process is as it is: the entries that led to it, and one sentence that says it. Pure. */
import type { ChronicleEntry } from './chronicle.ts'
import { type Story, sentenceOf } from './explanation-words.ts'

export type ExplainQuery = {
  /** A slot, `redis` or `supervisor`. */
  process: string
  /** Explains this moment instead of the present, in milliseconds since 1970. */
  atMs?: number
  /** That moment may last a while: `14:02` is a whole minute. */
  spanMs?: number
}

/** `phase`: what the supervisor says of it now; null when no server runs. */
export type ExplainSources = { entries: readonly ChronicleEntry[]; phase: string | null; nowMs: number }

export type Explanation = {
  process: string
  state: string
  since: string | null
  summary: string
  /** From the first cause on. */
  chain: ChronicleEntry[]
  /** What else happened to it, oldest first. */
  history: ChronicleEntry[]
}

const HISTORY = 30
const CHAIN = 20
/** What happened so long before and after a moment belongs to it. */
const AROUND_MS = 10 * 60_000

export function explain(
  { process, atMs, spanMs = 0 }: ExplainQuery,
  { entries, phase, nowMs }: ExplainSources,
): Explanation {
  const own = entries.filter((entry) => entry.process === process)
  const moment = atMs === undefined ? undefined : { fromMs: atMs, spanMs }
  const focus = moment ? nearest(turningPoints(own), moment) : turningPoints(own).at(-1)
  const chain = focus ? chainOf(entries, focus) : []
  const story: Story = { process, focus, chain, entries, nowMs, isOver: phase === null, atMs }
  return {
    process,
    state: phase ?? 'not running',
    since: focus?.at ?? null,
    summary: sentenceOf(story),
    chain: chain.slice(-CHAIN),
    history: (moment ? own.filter((entry) => isAround(moment, entry)) : own).slice(-HISTORY),
  }
}

/** Processes of which the chronicle knows anything. */
export function knownProcesses(entries: readonly ChronicleEntry[]): string[] {
  return [...new Set(entries.map(({ process }) => process))].sort()
}

/** The events after which a process is in another state than before. */
const TURNS = new Set([
  ...['spawned', 'ready', 'suspected', 'hung', 'boot_missed', 'exited', 'restart_planned', 'parked'],
  ...['stopping', 'stopped', 'redis_changed', 'booted', 'boot_failed', 'faulted'],
])

/** Those of a predecessor on its way out, or of a successor on its way in, change nothing for the slot. */
function turningPoints(own: readonly ChronicleEntry[]): ChronicleEntry[] {
  const recovered = new Set(own.filter(({ event }) => event === 'recovered').map(({ cause }) => cause))
  return own.filter((entry) => {
    const { id, event, process, facts } = entry
    const isOwn = typeof facts.name !== 'string' || facts.name === process
    return TURNS.has(event) && isOwn && !recovered.has(id) && !isEcho(own, entry)
  })
}

/** Whether a Redis of ours answers follows from its life, unless it lives and does not. */
function isEcho(own: readonly ChronicleEntry[], entry: ChronicleEntry): boolean {
  if (entry.event !== 'redis_changed' || !own.some(({ event }) => event === 'spawned')) return false
  return entry.facts.running === true || entry !== own.findLast(({ event }) => event === 'redis_changed')
}

type Moment = { fromMs: number; spanMs: number }

function isAround(moment: Moment, entry: ChronicleEntry): boolean {
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

function nearest(own: readonly ChronicleEntry[], moment: Moment): ChronicleEntry | undefined {
  const around = own.filter((entry) => isAround(moment, entry))
  const inside = around.filter((entry) => distanceMs(moment, entry) === 0)
  const choices = [
    inside.filter(({ event }) => GIVEN_UP.has(event)),
    inside.filter(({ event, facts }) => event === 'exited' && facts.wanted === true),
    around.filter(({ event }) => DECISIVE.has(event)),
    around,
  ]
  const best = choices.find((entries) => entries.length > 0) ?? []
  return best.toSorted((a, b) => distanceMs(moment, a) - distanceMs(moment, b))[0]
}

/** What caused the entry, and what came of that for the same process, up to its being ready again. */
function chainOf(entries: readonly ChronicleEntry[], focus: ChronicleEntry): ChronicleEntry[] {
  const chain = new Map(causesOf(entries, focus).map((entry) => [entry.id, entry]))
  let isOpen = focus.event !== 'ready'
  for (const entry of entries) {
    if (entry.cause === null || !chain.has(entry.cause) || entry.process !== focus.process) continue
    if (!isOpen && entry.id > focus.id) continue
    if (chain.get(entry.cause)!.event === 'booted') continue // all that runs came of it
    chain.set(entry.id, entry)
    if (entry.id > focus.id && entry.event === 'ready') isOpen = false
  }
  return [...chain.values()].sort((a, b) => a.id - b.id)
}

/** Far enough for any cause, and not the whole of an endless crash loop. */
const DEPTH = 12

function causesOf(entries: readonly ChronicleEntry[], focus: ChronicleEntry): ChronicleEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const path = [focus]
  for (let at = focus; at.cause !== null && path.length < DEPTH; ) {
    const cause = byId.get(at.cause)
    if (!cause) break // the record does not reach so far back
    path.push(cause)
    at = cause
  }
  return path
}
