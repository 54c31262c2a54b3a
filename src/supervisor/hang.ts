/** Finds children that are alive but dead to the world, without blaming them for our own pauses. */
import { type ProcessStat, statOf } from '../lib/process-tree.ts'
import { twoTurns } from '../lib/until.ts'
import { createSuspicions, type SuspicionEvents, type Watched } from './suspicions.ts'

export type HangWatchOptions = SuspicionEvents & {
  /** Killed after so long; 0 turns everything off. */
  limitMs: number
  now: () => number
  /** The children that owe us signs of life; their `lastSignMs` is moved forward here. */
  watched: () => Watched[]
  stat?: (pid: number) => ProcessStat | undefined
}

/** Several beats are missing: a child sends one each second. */
const LEAST_SUSPECT_MS = 1_500
const MAX_EVERY_MS = 250

export function createHangWatch(options: HangWatchOptions): { stop(): void } {
  const { limitMs, now, stat = statOf } = options
  if (limitMs <= 0) return { stop() {} }
  const everyMs = Math.min(MAX_EVERY_MS, limitMs / 8)
  const suspectMs = Math.max(limitMs / 3, Math.min(LEAST_SUSPECT_MS, limitMs * 0.75))
  const suspicions = createSuspicions({ ...options, suspectMs, stat })
  let lastTurnMs = now()

  async function look(): Promise<void> {
    const pausedMs = now() - lastTurnMs - everyMs
    lastTurnMs = now()
    for (const child of options.watched()) {
      if (!child.beats && stat(child.pid)?.state !== 'T') child.lastSignMs = now()
      else if (pausedMs > limitMs / 2) suspicions.startAnew(child) // nobody could be heard meanwhile
    }
    const isQuiet = (child: Watched) => now() - child.lastSignMs > suspectMs
    if (suspicions.none() && !options.watched().some(isQuiet)) return
    await twoTurns() // a beat may already lie in the pipe
    suspicions.judge(options.watched())
  }

  const timer = setInterval(() => void look(), everyMs).unref()
  return { stop: () => clearInterval(timer) }
}
