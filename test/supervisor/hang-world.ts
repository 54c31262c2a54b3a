/** A hang watch over children that are mere values, on a clock of our own. */
import type { TestContext } from 'node:test'
import type { StackTop } from '../../src/supervisor/facts.ts'
import { createHangWatch } from '../../src/supervisor/hang.ts'
import type { Watched } from '../../src/supervisor/suspicions.ts'

export type Given = { beats?: boolean; limitMs?: number; read?: () => Promise<StackTop | null> }

export function createWorld(t: TestContext, given: Given = {}) {
  t.mock.timers.reset()
  t.mock.timers.enable({ apis: ['setInterval'] })
  let nowMs = 0
  let reads = 0
  let released = 0
  const read = () => {
    reads++
    return given.read!()
  }
  const child: Watched = {
    name: 'child',
    pid: 1,
    beats: given.beats ?? true,
    lastSignMs: 0,
    isSuspected: false,
    where: null,
    stack: given.read ? { read, release: () => void released++ } : null,
  }
  const others: Watched[] = []
  const stat = { pid: 1, state: 'S', ppid: 0, pgid: 0, startTicks: '0', cpuTicks: 0, rssPages: 0 }
  const said: string[] = []
  const watch = createHangWatch({
    limitMs: given.limitMs ?? 12_000,
    now: () => nowMs,
    watched: () => [child, ...others],
    onSuspected: (name, { reason }) => said.push(`suspected: ${name} ${reason}`),
    onRecovered: (name, { silentMs, where }) =>
      said.push(`recovered: ${name} after ${(silentMs / 1_000).toFixed(1)} s in ${where?.function}`),
    onHung: (name, { reason }) => said.push(`hung: ${name} ${reason}`),
    stat: () => stat,
  })
  t.after(() => watch.stop())
  return {
    child,
    others,
    stat,
    said,
    reads: () => reads,
    released: () => released,
    now: () => nowMs,
    beat() {
      child.lastSignMs = nowMs
    },
    /** The clock moves on by `ms`, then the interval fires once or more; so often. */
    async pass(ms: number, times: number) {
      for (let i = 0; i < times; i++) {
        nowMs += ms
        t.mock.timers.tick(250)
        for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
