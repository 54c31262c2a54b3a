/** One timer for many connections: it runs only while there are any, and keeps no process alive. */

export type Pulse = {
  /** Calls `beat` every `everyMs`, roughly, until the returned function is called. */
  add(beat: () => void): () => void
  /** How many are called; for tests of what is left behind. */
  readonly size: number
}

export function createPulse(everyMs: number): Pulse {
  const beats = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  const start = () => {
    timer ??= setInterval(() => {
      for (const beat of beats) beat()
    }, everyMs).unref()
  }
  const stop = () => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    get size() {
      return beats.size
    },
    add(beat) {
      beats.add(beat)
      start()
      return () => {
        if (beats.delete(beat) && beats.size === 0) stop()
      }
    },
  }
}
