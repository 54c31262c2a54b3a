/** The jobs that this process holds; every change is told, so that the supervisor knows what a sudden end would leave. */
import { machineMs } from '../lib/machine-clock.ts'
import type { QueueName } from '../settings.ts'
import type { HeldJob, JobData } from './job.ts'

export type Holding = {
  list(): HeldJob[]
  take(queue: QueueName, job: { id: string; data: JobData }, token: string): void
  /** Its stage is claimed. */
  markRunning(id: string): void
  /** The stage's clock begins with so many seconds to go, or is off again. */
  setClock(id: string, limitS: number | null): void
  drop(id: string): void
}

export function createHolding(onChange: (jobs: HeldJob[]) => void): Holding {
  const held = new Map<string, HeldJob>()
  const list = () => [...held.values()]
  const now = () => new Date().toISOString()

  /** What was dropped has ended; a stage that was given up may still return after that. */
  function change(id: string, part: Partial<HeldJob>): void {
    const job = held.get(id)
    if (!job) return
    held.set(id, { ...job, ...part })
    onChange(list())
  }

  return {
    list,
    take(queue, { id, data }, token) {
      held.set(id, { ...data, queue, token, since: now(), running: false, limit: null })
      onChange(list())
    },
    markRunning: (id) => change(id, { running: true, since: now() }),
    setClock(id, limitS) {
      change(id, { limit: limitS === null ? null : { seconds: limitS, atMs: machineMs() + limitS * 1_000 } })
    },
    drop(id) {
      held.delete(id)
      onChange(list())
    },
  }
}
