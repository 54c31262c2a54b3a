/** Times what has a promised duration, and how much of that time this machine was busy with something else. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

export type Stopwatch = {
  ms(): number
  /** Fails unless it took less than `ms`; on a busy machine up to twice that, for the time in which it had to wait. */
  assertBelow(ms: number): void
  /** How much of it the machine was busy with something else. */
  lagMs(): number
}

const TICK_MS = 20

export function startWatch(): Stopwatch {
  const startedMs = performance.now()
  const waitedMs = pressureMs()
  let [lateMs, lastMs] = [0, startedMs]
  const timer = setInterval(() => {
    lateMs += Math.max(0, performance.now() - lastMs - 2 * TICK_MS)
    lastMs = performance.now()
  }, TICK_MS).unref()
  const ms = () => performance.now() - startedMs
  const lagMs = () => Math.max(lateMs, ...pressureMs().map((now, i) => now - waitedMs[i]!))
  return {
    ms,
    lagMs,
    assertBelow(promisedMs) {
      clearInterval(timer)
      const tookMs = ms()
      const busyMs = Math.min(promisedMs, lagMs())
      assert.ok(tookMs < promisedMs + busyMs, `it took ${tookMs} ms; the machine was busy for ${busyMs} of them`)
    },
  }
}

/** Within the last ten seconds some process had to wait for a processor, or for the disk, a tenth of the time. */
export function isBusy(): boolean {
  return ['cpu', 'io'].some((of) => Number(/^some avg10=([\d.]+)/.exec(readPressure(of))?.[1] ?? 0) >= 10)
}

/** For how long some process had to wait for a processor, or for the disk, since the machine's start (Linux, PSI). */
function pressureMs(): number[] {
  return ['cpu', 'io'].map((of) => Number(/^some .*total=(\d+)/.exec(readPressure(of))?.[1] ?? 0) / 1_000)
}

function readPressure(of: string): string {
  try {
    return readFileSync(`/proc/pressure/${of}`, 'utf8')
  } catch {
    return '' // a kernel that does not tell
  }
}
