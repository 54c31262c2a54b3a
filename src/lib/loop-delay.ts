/** How late this process's event loop runs: exactly while it works, and at next to no cost while it waits. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export type LoopMeter = {
  /** 99th percentile in milliseconds since the last call. */
  read(isBusy: boolean): number
}

/** The sampling timer wakes the process so often; only a busy one can afford that. */
const RESOLUTION_MS = 20

export function createLoopMeter(): LoopMeter {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  return {
    read(isBusy) {
      const ms = histogram.count > 0 ? histogram.percentile(99) / 1e6 - RESOLUTION_MS : 0
      histogram.reset()
      if (isBusy) histogram.enable()
      else histogram.disable()
      return Math.max(0, Math.round(ms * 10) / 10)
    },
  }
}

const WATCH_MS = 1_000
/** Longer than scrapers wait between two looks. */
const UNWATCHED_MS = 5 * 60_000

/**
 * The same answer for all who ask within a second: the 99th percentile in milliseconds of the last whole one. Null
 * until there is one, for nothing is measured before somebody asks, nor long after the last who did.
 */
export function createLoopWatch(create = createLoopMeter): () => number | null {
  let watched: Watched | undefined

  function begin(): Watched {
    const meter = create()
    meter.read(true)
    const begun: Watched = { latestMs: null, leftMs: UNWATCHED_MS }
    const timer = setInterval(() => {
      begun.leftMs -= WATCH_MS
      begun.latestMs = meter.read(begun.leftMs > 0)
      if (begun.leftMs > 0) return
      clearInterval(timer)
      watched = undefined
    }, WATCH_MS).unref()
    return begun
  }

  return () => {
    watched ??= begin()
    watched.leftMs = UNWATCHED_MS
    return watched.latestMs
  }
}

type Watched = { latestMs: number | null; leftMs: number }
