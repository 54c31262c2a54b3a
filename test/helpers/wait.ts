/** Waits for what a test needs to see, each with a deadline. */
import { until } from '../../src/lib/until.ts'
import type { DataLayout } from '../../src/project/layout.ts'
import type { ProjectState, StageState } from '../../src/project/project.ts'
import type { Instance } from './installation.ts'
import { readState } from './soundness.ts'

export type WaitFor = { layout: DataLayout; id: string; timeoutMs?: number }

/** Below the 30 s after which a lock ends: what is found only by that is late. */
const SOON_MS = 28_000

/** The state once it satisfies `test`; read from the folder, so that it works while the API does not. */
export async function untilState(
  { layout, id, timeoutMs = SOON_MS }: WaitFor,
  test: (state: ProjectState) => boolean,
): Promise<ProjectState> {
  let last: ProjectState | undefined
  const probe = () => {
    last = readState(layout, id)
    return test(last) ? last : undefined
  }
  try {
    return await until(probe, { timeoutMs, everyMs: 20, what: 'the state of a project' })
  } catch (error) {
    const stages = last?.stages.map(({ name, status, reason, attempts, error: e }) => ({
      name,
      status,
      reason,
      attempts,
      e,
    }))
    throw new Error(`Last seen: ${last?.status} ${JSON.stringify(stages)}`, { cause: error })
  }
}

export function untilStatus(wait: WaitFor, status: ProjectState['status']): Promise<ProjectState> {
  return untilState(wait, (state) => state.status === status)
}

export function stageOf(state: ProjectState, name: string): StageState {
  const stage = state.stages.find((s) => s.name === name)
  if (!stage) throw new Error(`There is no stage ${name}`)
  return stage
}

/** The process that works for a queue's group, e.g. `io-1`. */
export async function workerOf({ api }: Instance, name: string) {
  const { data } = await api.status()
  const worker = data.services.worker.workers?.find((w) => w.name === name)
  if (!worker) throw new Error(`There is no worker ${name}`)
  return worker
}

/** Until so many of its stages count as failed. */
export async function untilFailures({ api }: Instance, queue: string, wanted: number): Promise<void> {
  const what = `${wanted} failed in ${queue}`
  await until(async () => (await api.status()).data.queues[queue]?.failed === wanted, { timeoutMs: 20_000, what })
}

export function untilHealthy({ api }: Pick<Instance, 'api'>, timeoutMs = 40_000): Promise<true> {
  const probe = async () => (await api.status()).data.status === 'healthy'
  return until(probe, { timeoutMs, everyMs: 20, what: 'the status to be healthy' })
}
