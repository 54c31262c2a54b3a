/** SIGSTOP: processes that are there and do nothing. */
import { sleep } from '../../lib/until.ts'
import type { Fault } from '../fault.ts'
import { expectSameWorkers, heard, midStage, processOf, strikeAll, workersOf } from '../scene.ts'

const LONG_PACE = { projects: 4, steps: 6, paceMs: 400 }

export const FREEZES: readonly Fault[] = [
  {
    id: 'stop-worker',
    what: 'SIGSTOP of a worker in mid-stage (HANG_KILL_S=3)',
    env: { HANG_KILL_S: '3' },
    async strike(scene) {
      const { owner } = await midStage(scene)
      const atMs = strikeAll([owner.pid], 'SIGSTOP')
      const about = (type: string) => heard(scene, (fact) => fact.type === type && fact.name === owner.worker)
      const noticed = await Promise.race([about('child_suspected'), about('child_hung')])
      await heard(scene, (fact) => fact.type === 'child_exited' && fact.pid === owner.pid)
      return [{ atMs, pids: [owner.pid], noticedMs: noticed.atMs - atMs }]
    },
  },
  {
    id: 'stop-redis',
    what: 'SIGSTOP of Redis for 5 s',
    pace: LONG_PACE,
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const { pid } = await processOf(scene, 'redis')
      const atMs = strikeAll([pid], 'SIGSTOP')
      const noticed = heard(scene, (fact) => fact.type === 'redis_changed' && fact.running === false)
      noticed.catch(() => {}) // awaited below, after Redis goes on
      await sleep(5_000, scene.signal).finally(() => strikeAll([pid], 'SIGCONT'))
      const { atMs: noticedAt } = await noticed
      await heard(scene, (fact) => fact.type === 'redis_changed' && fact.running === true)
      await expectSameWorkers(scene, before)
      return [{ atMs, pids: [pid], noticedMs: noticedAt - atMs }]
    },
  },
  {
    id: 'stop-supervisor',
    what: 'SIGSTOP of the supervisor for 6 s (HANG_KILL_S=3)',
    env: { HANG_KILL_S: '3' },
    pace: LONG_PACE,
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const { pid } = scene.instance()
      const atMs = strikeAll([pid], 'SIGSTOP')
      await sleep(6_000, scene.signal).finally(() => strikeAll([pid], 'SIGCONT'))
      await sleep(4_000, scene.signal) // longer than a hang may last: a false verdict would have come
      await expectSameWorkers(scene, before)
      return [{ atMs, pids: [pid], noticedMs: null }]
    },
  },
]
