/** The end of a boot that fails when processes run already: stages that an earlier run left may be at work in them. */
import type { DataLayout } from '../project/layout.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { endSurvivors } from '../supervisor/sweep.ts'
import type { Service } from './service.ts'

export type FailedBoot = {
  layout: DataLayout
  dataId: string
  supervisor: Pick<Supervisor, 'kill'>
  service: Promise<Pick<Service, 'stop'>>
}

const SWEEP_MS = 1_000
const NOTE_MS = 1_000

/** Kills; then no program of a stage is left, and the projects say that they were interrupted. */
export async function endFailedBoot({ layout, dataId, supervisor, service }: FailedBoot): Promise<void> {
  supervisor.kill()
  await (await service.catch(() => undefined))?.stop(0)
  await endSurvivors(dataId, { timeoutMs: SWEEP_MS }).catch(() => {}) // the guardian tries for longer
  const { noteInterrupted } = await import('./resume.ts')
  await noteInterrupted(layout, AbortSignal.timeout(NOTE_MS)).catch(() => {}) // the next start finds the same
}
