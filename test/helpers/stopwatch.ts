/** Times what has a promised duration, and how much of that time this machine was busy with something else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

export type Stopwatch = {
  ms(): number
  /** Fails unless it took less than `ms`; on a busy machine up to twice that, for the time it waited for a processor. */
  assertBelow(ms: number): void
}

const TICK_MS = 20

export function startWatch(): Stopwatch {
  const startedMs = performance.now()
  const waitedMs = waitedForProcessorMs()
  let [lateMs, lastMs] = [0, startedMs]
  const timer = setInterval(() => {
    lateMs += Math.max(0, performance.now() - lastMs - 2 * TICK_MS)
    lastMs = performance.now()
  }, TICK_MS).unref()
  const ms = () => performance.now() - startedMs
  return {
    ms,
    assertBelow(promisedMs) {
      clearInterval(timer)
      const tookMs = ms()
      const lagMs = Math.min(promisedMs, Math.max(lateMs, waitedForProcessorMs() - waitedMs))
      assert.ok(tookMs < promisedMs + lagMs, `it took ${tookMs} ms; the machine was busy for ${lagMs} of them`)
    },
  }
}

/** For how long some process could not run because others did, since the machine's start (Linux, PSI). */
function waitedForProcessorMs(): number {
  try {
    const [, micros] = /^some .*total=(\d+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8')) ?? []
    return Number(micros ?? 0) / 1_000
  } catch {
    return 0 // a kernel that does not tell
  }
}
