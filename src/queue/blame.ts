/** A stage that ends its own process is charged for it, so that it cannot take a whole group of queues down for ever. */
import { stageRetryMs } from '../lib/backoff.ts'
import type { ProjectStore } from '../project/store.ts'
import type { HeldJob } from './job.ts'

/** How a worker ended; `pid` tells the claim that it held from a later one. */
export type WorkerDeath = {
  worker: string
  pid: number | null
  code: number | null
  signal: string | null
  reason: string
}

/** By these a process ends itself: out of memory, failed assertions, faults of native code. */
const OWN_SIGNALS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'])

/** The stage to charge: the only one in a process that ended by itself. A kill from outside charges nobody. */
export function culpritOf(
  jobs: readonly HeldJob[],
  { code, signal }: Pick<WorkerDeath, 'code' | 'signal'>,
): HeldJob | undefined {
  const isOwn = signal === null ? code !== null && code !== 0 : OWN_SIGNALS.has(signal)
  return isOwn && jobs.length === 1 ? jobs[0] : undefined
}

/** In the name of the dead worker, whose claim still stands: tried once more, then failed with the reason. */
export async function chargeDeath(store: ProjectStore, job: HeldJob, death: WorkerDeath): Promise<void> {
  const project = await store.open(job.projectId)
  const folded = project.read()
  const stage = folded.state.stages.find((s) => s.name === job.stage)
  const { fence = null, owner = null } = folded.internals[job.stage] ?? {}
  if (stage?.status !== 'running' || fence === null || owner?.pid !== death.pid) return
  const delayMs = stage.retries === 0 ? stageRetryMs(0) : null
  const retry_at = delayMs === null ? null : new Date(Date.now() + delayMs).toISOString()
  const error = { code: 'stage_failed', message: `${death.worker} ${death.reason} while it did nothing but this stage` }
  await project.append({ type: 'failed', stage: stage.name, fence, error, retry_at })
}
