/** Which workers hold so much memory that a fresh process would be better: pure. */
import type { ChildStatus } from '../supervisor/child-record.ts'

type MemorySample = Pick<ChildStatus, 'name' | 'slot' | 'pid' | 'phase' | 'rss_bytes'> & { jobs: number }

/** Of one process: what it held when it was fresh (0: not known), since when it is seen, and in how many looks in a row too much. */
type Watched = {
  freshBytes: number
  seenMs: number
  over: number
  /** It needs more than the limit for its work: only more than that says that a new one would be better. */
  isLetBe: boolean
}

/** The process of a slot that was replaced last for its memory. */
type Replaced = { pid: number; bytes: number; atMs: number }

export type MemoryState = {
  byPid: ReadonlyMap<number, Watched>
  bySlot: ReadonlyMap<string, Replaced>
}

/** The limit is too low: already fresh processes are over it, or successors as soon as they work. */
export type Futile = { name: string; rssBytes: number; when: 'fresh' | 'working' }

export const NOTHING_HELD: MemoryState = { byPid: new Map(), bySlot: new Map() }

/** One look may catch a peak that is given back at once. */
const OVER_LOOKS = 3
/** Where a process has to be over the limit, only growth says that a new one would be better. */
const GROWTH = 1.5
/** Beyond so many times the limit memory is the greater danger, whatever the work needs. */
const MOST = 3
/** A successor that is over the limit so soon is so by its work, and not by what it has gathered. */
const SOON_MS = 5 * 60_000
/** After so long a new process may do better. */
const LATER_MS = 60 * 60_000

export function watchMemory(
  before: MemoryState,
  samples: readonly MemorySample[],
  { nowMs, maxBytes }: { nowMs: number; maxBytes: number },
): { state: MemoryState; futile: Futile[] } {
  const byPid = new Map<number, Watched>()
  const futile: Futile[] = []
  for (const sample of samples) {
    const { name, pid, slot, phase, rss_bytes: rssBytes, jobs } = sample
    if (maxBytes === 0 || pid === null || phase !== 'ready' || rssBytes === 0) continue // 0: not measured yet
    const known = before.byPid.get(pid)
    const last = before.bySlot.get(slot)
    const freshBytes = jobs === 0 ? rssBytes : 0 // jobs may have been done before the first look
    const was = known ?? { freshBytes, seenMs: nowMs, over: 0, isLetBe: false }
    const is = lookAt(was, { rssBytes, maxBytes, last: last && { ...last, agoMs: nowMs - last.atMs } })
    const isAgain = isDue(is) && !is.isLetBe && last !== undefined && isTooSoon(is, last, { pid, nowMs })
    if (!known && freshBytes > maxBytes) futile.push({ name, rssBytes, when: 'fresh' })
    if (isAgain) futile.push({ name, rssBytes, when: 'working' })
    byPid.set(pid, isAgain ? { ...is, over: 0, isLetBe: true } : is)
  }
  const slots = new Set(samples.map(({ slot }) => slot))
  return { state: { byPid, bySlot: new Map([...before.bySlot].filter(([slot]) => slots.has(slot))) }, futile }
}

export function holdsTooMuch({ byPid }: MemoryState, { pid }: Pick<MemorySample, 'pid'>): boolean {
  const watched = pid === null ? undefined : byPid.get(pid)
  return watched !== undefined && isDue(watched)
}

/** To be told of every replacement that was asked for because of memory. */
export function noteReplaced(state: MemoryState, sample: MemorySample, nowMs: number): MemoryState {
  const replaced: Replaced = { pid: sample.pid!, bytes: sample.rss_bytes, atMs: nowMs }
  return { ...state, bySlot: new Map(state.bySlot).set(sample.slot, replaced) }
}

type Look = { rssBytes: number; maxBytes: number; last: (Replaced & { agoMs: number }) | undefined }

function lookAt(was: Watched, look: Look): Watched {
  return { ...was, over: look.rssBytes > mayHold(was, look) ? was.over + 1 : 0 }
}

function mayHold({ freshBytes, isLetBe }: Watched, { maxBytes, last }: Look): number {
  const limit = freshBytes > maxBytes ? freshBytes * GROWTH : maxBytes
  if (!isLetBe || !last || last.agoMs >= LATER_MS) return limit
  if (last.agoMs < SOON_MS) return Number.POSITIVE_INFINITY
  return Math.max(limit, Math.min(last.bytes * GROWTH, maxBytes * MOST))
}

function isDue({ over }: Watched): boolean {
  return over >= OVER_LOOKS
}

/** When a successor did not come up, it is the same process still. */
function isTooSoon({ seenMs }: Watched, last: Replaced, now: { pid: number; nowMs: number }): boolean {
  return last.pid !== now.pid && now.nowMs - seenMs < SOON_MS && now.nowMs - last.atMs < LATER_MS
}
