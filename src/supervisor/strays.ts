/** Ends what a dead child has started and that had left its group, by the id in its environment. Linux only. */
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { findByEnvironment, signalProcess } from '../lib/process-tree.ts'
import { sleep } from '../lib/until.ts'

/** What forks all the time may slip through one look. */
const LOOKS = 20
const PAUSE_MS = 25

/** Looks at once, and until it finds nothing once the group is empty. What is left then, the sweep of a stop ends. */
export async function endStrays(childId: string, groupEmptied: Promise<unknown>): Promise<void> {
  await killAll(childId)
  await groupEmptied
  for (let look = 0; look < LOOKS && (await killAll(childId)); look++) await sleep(PAUSE_MS)
}

/** Whether there were any. */
async function killAll(childId: string): Promise<boolean> {
  const found = await findByEnvironment(CHILD_ENVIRONMENT.childId, childId)
  for (const pid of found) signalProcess(pid, 'SIGKILL')
  return found.length > 0
}
