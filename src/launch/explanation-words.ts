/** What an explanation is told from, and its times as people read them. Pure. */
import type { ChronicleEntry } from './chronicle.ts'

export type Story = {
  process: string
  /** The entry to explain; undefined when nothing is known. */
  focus: ChronicleEntry | undefined
  chain: readonly ChronicleEntry[]
  entries: readonly ChronicleEntry[]
  /** The entries after which the process was in another state than before, oldest first. */
  turns: readonly ChronicleEntry[]
  nowMs: number
  /** No server runs: what is told is the past. */
  isOver: boolean
  /** Where a moment is asked for: its begin and, where it lasts, its end. */
  atMs: number | undefined
  untilMs: number | undefined
  /** The last sign of life of a run that ended without a stop, in milliseconds since 1970; null when there is none. */
  heardMs: number | null
}

/** What happened so long before and after a moment belongs to it. */
export const AROUND_MS = 10 * 60_000

/** The last entry of the chain with this event. */
export function find({ chain }: Story, event: string): ChronicleEntry | undefined {
  return chain.findLast((entry) => entry.event === event)
}

/** Later entries about the same process, of the same run. */
export function laterOf({ entries, process }: Story, { id, run }: ChronicleEntry): ChronicleEntry[] {
  return entries.filter((entry) => entry.process === process && entry.id > id && entry.run === run)
}

/** Later states of the process in the same run. */
export function turnsAfter({ turns }: Story, { id, run }: ChronicleEntry): ChronicleEntry[] {
  return turns.filter((entry) => entry.id > id && entry.run === run)
}

/** The run of this entry goes on. */
export function isLive({ isOver, entries }: Story, { run }: ChronicleEntry): boolean {
  return !isOver && run === entries.at(-1)?.run
}

/** What the entry says is still so. */
export function isPresent(story: Story, entry: ChronicleEntry): boolean {
  return isLive(story, entry) && turnsAfter(story, entry).length === 0
}

export function when(story: Story, { at }: ChronicleEntry): string {
  return clock(story, at)
}

export function clock({ nowMs }: Story, at: string): string {
  return timeText(Date.parse(at), nowMs)
}

/** `14:02:11` in local time, with the date when that is not today's. */
export function timeText(ms: number, nowMs: number): string {
  const [date, time] = localText(ms)
  return date === localText(nowMs)[0] ? time : `${date} ${time}`
}

function localText(ms: number): [date: string, time: string] {
  const at = new Date(ms)
  const two = (n: number) => String(n).padStart(2, '0')
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return [date, [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')]
}
