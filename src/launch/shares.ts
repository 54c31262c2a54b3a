/** Tells workers how many processes of their group there are, so that one that was first leaves room for the others. */
import type { WorkerGroup } from '../config/grammars.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import type { Share } from './order.ts'

export type SharesOptions = { supervisor: Pick<Supervisor, 'status' | 'send'>; groups: readonly WorkerGroup[] }

/** Call it whenever a process may have come or gone; who knows it already is not told again. */
export function createShares({ supervisor, groups }: SharesOptions): () => void {
  let told = new Map<number, number>()

  function tell({ name, pid }: ChildStatus, processes: number, known: number): void {
    if (known !== processes && !supervisor.send(name, { type: 'share', processes } satisfies Share)) return
    if (pid !== null) told.set(pid, processes)
  }

  return () => {
    const before = told
    told = new Map() // the dead are forgotten
    // The end of a process is told before anything is made of it: until then it seems ready, without a pid.
    const serving = supervisor.status().filter(({ role, ready, pid }) => role === 'current' && ready && pid !== null)
    for (const { name: group, processes } of groups) {
      const own = serving.filter((child) => child.group === group)
      for (const child of own) tell(child, own.length, before.get(child.pid ?? 0) ?? processes)
    }
  }
}
