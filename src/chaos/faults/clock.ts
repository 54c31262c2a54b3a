/** The wall clock is set while work runs; leases, deadlines and order must not depend on it. */
import { sleep } from '../../lib/until.ts'
import type { Fault } from '../fault.ts'
import { giveOrders, preloading } from '../preload.ts'
import { expectSameWorkers, midStage, workersOf } from '../scene.ts'

const HOUR_MS = 3_600_000
/** Two looks of the reconciler, which must not take a stage from its worker. */
const LOOKS_MS = 5_000

export const CLOCK_FAULTS: readonly Fault[] = [
  {
    id: 'clock-back',
    what: 'the clock is set back an hour',
    waitsS: 15,
    env: preloading('clock'),
    pace: { paceMs: 300 },
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      giveOrders(scene.rig.folder, 'clock', { offsetMs: -HOUR_MS })
      await sleep(LOOKS_MS, scene.signal)
      await expectSameWorkers(scene, before)
      const interrupted = scene.load.attempts().filter(({ attempts }) => attempts > 1)
      for (const { stage, attempts } of interrupted)
        scene.found('wrong', `${stage} was begun ${attempts} times, though nothing had happened to it`)
      return [] // times of journals that were written before and after cannot be compared
    },
  },
]
