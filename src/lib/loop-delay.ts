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
