/** The table of faults, in the order in which they strike. */
import type { Fault } from './fault.ts'
import { CHILD_FAULTS } from './faults/child.ts'
import { CLOCK_FAULTS } from './faults/clock.ts'
import { DISK_FAULTS } from './faults/disk.ts'
import { DOUBLE_STARTS } from './faults/double-start.ts'
import { FREEZES } from './faults/freeze.ts'
import { KILLS } from './faults/kill.ts'
import { LIFECYCLES } from './faults/lifecycle.ts'
import { MEMORY_FAULTS } from './faults/memory.ts'
import { REDIS_FAULTS } from './faults/redis.ts'
import { STAGE_FAULTS } from './faults/stage.ts'

/** With nothing done, everything has to be found in order: else the checks themselves would be at fault. */
const NOTHING: Fault = {
  id: 'nothing',
  what: 'nothing, to see that all is well without a fault',
  strike: async () => [],
}

export const FAULTS: readonly Fault[] = [
  NOTHING,
  ...KILLS,
  ...FREEZES,
  ...REDIS_FAULTS,
  ...STAGE_FAULTS,
  ...CHILD_FAULTS,
  ...MEMORY_FAULTS,
  ...LIFECYCLES,
  ...DOUBLE_STARTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
]
