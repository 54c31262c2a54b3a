/** Memory runs out, at once or little by little. */
import { mapLimit } from '../../lib/map-limit.ts'
import type { Fault } from '../fault.ts'
import { giveOrders, preloading, withdrawOrders } from '../preload.ts'
import { heardWithin, midStage, workersOf } from '../scene.ts'
import { leakWork } from '../work.ts'
import { goneAndStartAgain } from './kill.ts'

/** A worker begins with about 110 MB. */
const LEAK_LIMIT_MB = 200
const LEAKING_JOBS = 250
const ASKED_AT_ONCE = 10
const RECYCLED_MS = 90_000
const OUT_OF_MEMORY_MS = 30_000

export const MEMORY_FAULTS: readonly Fault[] = [
  {
    id: 'supervisor-hoards',
    what: 'the supervisor exhausts its heap (of 96 MB), and a new start',
    env: preloading('fill-heap', '--max-old-space-size=96'),
    async strike(scene) {
      await midStage(scene)
      const { pid } = scene.instance()
      const pids = await scene.rig.pids()
      giveOrders(scene.rig.folder, 'fill-heap', { pid })
      await scene.instance().ended(OUT_OF_MEMORY_MS)
      withdrawOrders(scene.rig.folder, 'fill-heap')
      return [await goneAndStartAgain(scene, { atMs: Date.now(), pids })]
    },
  },
  {
    id: 'stage-leaks',
    what: `every job leaks 1 MB (WORKER_MAX_RSS_MB=${LEAK_LIMIT_MB})`,
    oursOnly: true,
    waitsS: 40,
    env: { WORKER_MAX_RSS_MB: String(LEAK_LIMIT_MB) },
    async strike(scene) {
      const before = await workersOf(scene)
      const atMs = Date.now()
      const works = Array.from({ length: LEAKING_JOBS }, () => leakWork(scene.rig.effects))
      await mapLimit(works, ASKED_AT_ONCE, scene.add)
      const isIt = (type: string) => (fact: { type: string }) => fact.type === type
      const { atMs: noticedAt, name } = await heardWithin(scene, RECYCLED_MS, isIt('child_replacing'))
      await heardWithin(scene, RECYCLED_MS, isIt('child_replaced'))
      const { pid } = before.find((worker) => worker.name === name) ?? { pid: 0 }
      return [{ atMs, pids: [pid], noticedMs: noticedAt - atMs }]
    },
  },
]
