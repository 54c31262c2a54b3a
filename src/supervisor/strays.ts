/** Ends what a dead child has started and that had left its group, by the id in its environment. Linux only. */
import { setTimeout as delay } from 'node:timers/promises'
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { findByEnvironment, signalProcess } from '../lib/process-tree.ts'
import { sleep } from '../lib/until.ts'

/** What is found may just have started something else. */
const LOOKS = 20
const PAUSE_MS = 25

/** A look reads something of every process; whoever takes over the work of the dead one goes first. */
const FIRST_LOOK_MS = 100

/** Looks until it finds nothing. What is left after so many looks, the sweep of a stop ends. */
export async function endStrays(childId: string): Promise<void> {
  await delay(FIRST_LOOK_MS, undefined, { ref: false })
  for (let look = 0; look < LOOKS && (await killAll(childId)); look++) await sleep(PAUSE_MS)
}

/** Whether there were any. */
async function killAll(childId: string): Promise<boolean> {
  const found = await findByEnvironment(CHILD_ENVIRONMENT.childId, childId)
  for (const pid of found) signalProcess(pid, 'SIGKILL')
  return found.length > 0
}
