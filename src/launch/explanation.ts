/** Why a process is as it is: the entries that led to it, and one sentence that says it. Pure. */
import type { ChronicleEntry } from './chronicle.ts'
import { sentenceOf } from './explanation-sentence.ts'
import type { Story } from './explanation-words.ts'
import { isAround, nearest } from './told-moment.ts'

export type ExplainQuery = {
  /** A slot, `redis` or `supervisor`. */
  process: string
  /** Explains this moment instead of the present, in milliseconds since 1970. */
  atMs?: number
  /** That moment may last a while: `14:02` is a whole minute. */
  spanMs?: number
}

export type ExplainSources = {
  entries: readonly ChronicleEntry[]
  /** What the supervisor says of it now; null when no server runs. */
  phase: string | null
  nowMs: number
  /** The last sign of life of a run that ended without a stop, where one is known. */
  heardMs?: number | null
}

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

export function explain(
  { process, atMs, spanMs = 0 }: ExplainQuery,
  { entries, phase, nowMs, heardMs = null }: ExplainSources,
): Explanation {
  const own = entries.filter((entry) => entry.process === process)
  const moment = atMs === undefined ? undefined : { fromMs: atMs, spanMs }
  const turns = turningPoints(own)
  const focus = moment ? nearest({ own, turns }, moment) : turns.at(-1)
  const chain = focus ? chainOf(entries, focus) : []
  const untilMs = moment && moment.fromMs + spanMs
  const isOver = phase === null
  const story: Story = { process, focus, chain, entries, turns, nowMs, isOver, atMs, untilMs, heardMs }
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
