/** From a silence to its end: suspected and looked into, then taken back, or condemned at the limit. */
import type { ProcessStat } from '../lib/process-tree.ts'
import { sleep, within } from '../lib/until.ts'
import type { StackReader } from './capture.ts'
import type { StackTop } from './facts.ts'
import { describeTop } from './stack.ts'

export type Watched = {
  name: string
  pid: number
  /** False for programs, whose only sign of life is that they are not stopped. */
  beats: boolean
  lastSignMs: number
  /** Null where nobody can look inside. */
  stack: Pick<StackReader, 'read' | 'release'> | null
  isSuspected: boolean
  /** Where it was found when it gave no sign of life; null again as soon as it does. */
  where: StackTop | null
}

/** What is known of a silence. */
export type Silence = { silentMs: number; reason: string; where: StackTop | null }

export type SuspicionEvents = {
  /** Once for each silence. */
  onSuspected(name: string, silence: Silence): void
  /** After onSuspected only. */
  onRecovered(name: string, silence: Pick<Silence, 'silentMs' | 'where'>): void
  onHung(name: string, silence: Silence): void
}

export type SuspicionOptions = SuspicionEvents & {
  suspectMs: number
  limitMs: number
  now: () => number
  stat: (pid: number) => ProcessStat | undefined
}

export type Suspicions = {
  none(): boolean
  judge(watched: readonly Watched[]): void
  /** Its silence counts from now. What was suspected before stays so until it is heard. */
  startAnew(child: Watched): void
}

type Suspicion = {
  /** The last sign of life before it. */
  signMs: number
  atMs: number
  /** At the beginning; undefined where that cannot be known. */
  cpuTicks: number | undefined
  isTold: boolean
  isLastLook: boolean
  isCondemned: boolean
}

/** So long before its end a process is asked again: it may have been busy with something else at first. */
const LAST_LOOK_MS = 1_000
/** A main thread that runs JavaScript says where it is much sooner than this. */
const ANSWER_MS = 1_500
/** Within so long the first beat after a silence is here. */
const BEAT_DUE_MS = 250
/** People are told of a suspicion so soon, also when the process has not answered yet. */
const TELL_MS = 2_000

/** Kept by pid: names change hands while a process is replaced. */
export function createSuspicions(options: SuspicionOptions): Suspicions {
  const { suspectMs, limitMs, now } = options
  const open = new Map<number, Suspicion>()
  const silenceOf = (child: Watched) => now() - child.lastSignMs

  function judgeOne(child: Watched): void {
    const suspicion = open.get(child.pid)
    if (!suspicion) {
      if (silenceOf(child) > suspectMs) suspect(child)
    } else if (child.lastSignMs !== suspicion.signMs) recover(child, suspicion)
    else if (silenceOf(child) > limitMs) condemn(child, suspicion)
    else if (silenceOf(child) > limitMs - LAST_LOOK_MS && !suspicion.isLastLook) {
      suspicion.isLastLook = true
      void lookInto(child, suspicion)
    }
  }

  function suspect(child: Watched): void {
    const cpuTicks = options.stat(child.pid)?.cpuTicks
    const once = { isTold: false, isLastLook: false, isCondemned: false }
    const suspicion = { signMs: child.lastSignMs, atMs: now(), cpuTicks, ...once }
    open.set(child.pid, suspicion)
    child.isSuspected = true
    void within(lookInto(child, suspicion), TELL_MS, undefined).then(() => {
      if (!isPresent(child, suspicion) || suspicion.isCondemned) return
      suspicion.isTold = true
      options.onSuspected(child.name, describe(options, child, suspicion))
    })
  }

  const isPresent = ({ pid }: Watched, suspicion: Suspicion) => open.get(pid) === suspicion
  const isSilent = (child: Watched, suspicion: Suspicion) =>
    isPresent(child, suspicion) && child.lastSignMs === suspicion.signMs

  /** Who answers late was in native code until now. If that was all, it says so by a beat, and is elsewhere already. */
  async function lookInto(child: Watched, suspicion: Suspicion): Promise<void> {
    const askedMs = now()
    let where = await child.stack?.read(limitMs)
    if (where && now() - askedMs > ANSWER_MS) {
      await sleep(BEAT_DUE_MS)
      where = isSilent(child, suspicion) ? await child.stack?.read(limitMs) : null
    }
    if (where && isSilent(child, suspicion)) child.where = where
  }

  function condemn(child: Watched, suspicion: Suspicion): void {
    if (suspicion.isCondemned || isStarved(options, child, suspicion)) return
    suspicion.isCondemned = true
    options.onHung(child.name, describe(options, child, suspicion))
  }

  function recover(child: Watched, { signMs, isTold }: Suspicion): void {
    const { where } = child
    open.delete(child.pid)
    child.isSuspected = false
    child.where = null
    child.stack?.release()
    if (isTold) options.onRecovered(child.name, { silentMs: child.lastSignMs - signMs, where })
  }

  return {
    none: () => open.size === 0,
    judge(watched) {
      for (const child of watched) judgeOne(child)
      for (const pid of open.keys()) if (!watched.some((child) => child.pid === pid)) open.delete(pid)
    },
    startAnew(child) {
      const suspicion = open.get(child.pid)
      const nowMs = now()
      if (suspicion?.signMs === child.lastSignMs) suspicion.signMs = nowMs
      child.lastSignMs = nowMs
    },
  }
}

/** USER_HZ is 100 on every kernel that Node runs on. */
const TICK_MS = 10
const STARVED_SHARE = 0.02

/** It would run but hardly got the CPU since it was suspected: its end would not help. */
function isStarved({ stat, now }: SuspicionOptions, { pid }: Watched, { atMs, cpuTicks }: Suspicion): boolean {
  const present = stat(pid)
  if (cpuTicks === undefined || present?.state !== 'R') return false
  return (present.cpuTicks - cpuTicks) * TICK_MS < (now() - atMs) * STARVED_SHARE
}

function describe({ stat, now }: SuspicionOptions, child: Watched, { atMs }: Suspicion): Silence {
  const silentMs = now() - child.lastSignMs
  const state = stat(child.pid)?.state ?? ''
  const seconds = (silentMs / 1_000).toFixed(1)
  const how = state === 'T' ? `was stopped by a signal for ${seconds} s` : `gave no sign of life for ${seconds} s`
  const hasHadTime = now() - atMs >= ANSWER_MS
  const outside = state !== 'T' && child.stack && hasHadTime ? OUTSIDE[state] : undefined
  const place = child.where ? `in ${describeTop(child.where)}` : outside
  return { silentMs, reason: place ? `${how}; it was ${place}` : how, where: child.where }
}

/** By process state (proc(5)): what keeps a main thread busy that does not say where it is. */
const OUTSIDE: Record<string, string> = {
  R: 'busy in native code',
  S: 'waiting in a synchronous call',
  D: 'waiting for a disk',
}
