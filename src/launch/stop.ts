/** Stopping in order: work first, then the API, Redis last; every component's end is a fact. */
import type { DataLayout } from '../project/layout.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { findSurvivors } from '../supervisor/sweep.ts'
import type { DataFolder } from './data-folder.ts'
import type { LaunchFact } from './facts.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { DrainOrder } from './order.ts'
import { noteInterrupted } from './resume.ts'
import type { Service } from './service.ts'

export type StopParts = {
  layout: DataLayout
  supervisor: Supervisor
  service: Service
  folder: DataFolder
  held: HeldJobs
  onFact: (fact: LaunchFact) => void
}

/** Running steps may end by themselves for so long, then they are told to. */
const ABORT_AFTER_MS = 18_000
/** Then they have so long to give their work back, before they are killed. */
const GIVE_BACK_MS = 5_000
const API_CLOSE_MS = 1_000
const REDIS_STOP_MS = 4_000
/** After a second Ctrl+C. */
export const HURRY_MS = 1_500

export async function stopAll(parts: StopParts): Promise<void> {
  const { supervisor, service, layout, folder, onFact } = parts
  const startedMs = performance.now()
  tellStopping(parts)
  const drain: DrainOrder = { reason: 'stop', abortInMs: ABORT_AFTER_MS }
  await supervisor.stop(workerNames(supervisor), { drain, deadlineMs: startedMs + ABORT_AFTER_MS + GIVE_BACK_MS })
  await noteInterrupted(layout).catch(() => {}) // a full disk: the next start finds the same by the dead owners
  const apiMs = performance.now()
  await service.stop(API_CLOSE_MS)
  onFact({ type: 'component_stopped', name: 'api', ms: performance.now() - apiMs })
  await supervisor.stop(['redis'], { deadlineMs: performance.now() + REDIS_STOP_MS })
  const left = await findSurvivors(folder.dataId)
  await folder.release()
  onFact({ type: 'stopped', ms: Math.round(performance.now() - startedMs), left: left.map((s) => s.pid) })
}

/** All children but Redis, which the others need until their end. */
export function workerNames(supervisor: Supervisor): string[] {
  return supervisor.status().flatMap((child) => (child.group === 'redis' ? [] : [child.name]))
}

function tellStopping({ held, onFact }: StopParts): void {
  const running = held.all().map(({ stage, projectId }) => ({ stage, project: projectId }))
  onFact({ type: 'stopping', running, deadlineS: (ABORT_AFTER_MS + GIVE_BACK_MS) / 1_000 })
}
