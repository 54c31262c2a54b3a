/** From what a stage emits to what is written down: a percentage and a message, not too often. */
import type { Emission } from './define.ts'

export type Progress = { progress: number; message: string | null }

/** Values are clamped to whole 0–99: only the end is 100. */
export function progressOf(emission: Exclude<Emission, string>): Progress {
  if ('progress' in emission) return { progress: clamp(emission.progress), message: emission.message ?? null }
  const { current, total, item_name } = emission
  const counted = `${current} of ${total}`
  return {
    progress: clamp(total > 0 ? (100 * current) / total : 0),
    message: item_name ? `${item_name} (${counted})` : counted,
  }
}

function clamp(percent: number): number {
  return Number.isFinite(percent) ? Math.max(0, Math.min(99, Math.floor(percent))) : 0
}

export type Throttle<T> = { push(value: T): void; flush(): Promise<void> }

/** Calls `write` at once, then at most every `everyMs`, always with the newest value, one call at a time. */
export function createThrottle<T>(write: (value: T) => Promise<void>, everyMs: number): Throttle<T> {
  let pending: { value: T } | undefined
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()

  function send(): void {
    timer = undefined
    if (!pending) return
    const { value } = pending
    pending = undefined
    writing = writing.then(() => write(value)).catch(() => {}) // lost progress costs nothing; the stage's next record reports
    timer = setTimeout(send, everyMs)
    timer.unref()
  }

  return {
    push(value) {
      pending = { value }
      if (!timer) send()
    },
    /** Drops what is pending (the end of the stage says more) and waits for a write under way. */
    flush() {
      clearTimeout(timer)
      timer = undefined
      pending = undefined
      return writing
    },
  }
}
