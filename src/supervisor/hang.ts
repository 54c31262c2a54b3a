/** Finds children that are alive but dead to the world, without blaming them for our own pauses. */
import { statOf } from '../lib/process-tree.ts'

export type Watched = {
  name: string
  pid: number
  /** False for programs, whose only sign of life is that they are not stopped. */
  beats: boolean
  lastSignMs: number
}

export type HangWatchOptions = {
  limitMs: number
  now: () => number
  /** The ready children; their `lastSignMs` is moved forward here. */
  watched: () => Watched[]
  onHung(name: string, reason: string): void
}

export function createHangWatch(options: HangWatchOptions): { stop(): void } {
  const { limitMs, now } = options
  if (limitMs <= 0) return { stop() {} }
  const everyMs = Math.min(1_000, limitMs / 4)
  let lastTurnMs = now()

  async function look(): Promise<void> {
    const gapMs = now() - lastTurnMs
    lastTurnMs = now()
    for (const child of options.watched()) {
      if (gapMs - everyMs > limitMs / 2 || (!child.beats && !isStopped(child.pid))) child.lastSignMs = now()
    }
    if (!options.watched().some((child) => verdict(child, now(), limitMs))) return
    await twoTurns()
    for (const child of options.watched()) {
      const reason = verdict(child, now(), limitMs)
      if (reason) options.onHung(child.name, reason)
    }
  }

  const timer = setInterval(() => void look(), everyMs).unref()
  return { stop: () => clearInterval(timer) }
}

function verdict(child: Watched, nowMs: number, limitMs: number): string | null {
  const silentMs = nowMs - child.lastSignMs
  if (silentMs <= limitMs) return null
  const seconds = (silentMs / 1_000).toFixed(1)
  return isStopped(child.pid) ? `was stopped by a signal for ${seconds} s` : `gave no sign of life for ${seconds} s`
}

function isStopped(pid: number): boolean {
  return statOf(pid)?.state === 'T'
}

/** A beat may already lie in the pipe: one poll phase later it has been read. */
async function twoTurns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
