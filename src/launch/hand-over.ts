/** How a worker is drained when its work goes on in another process: nobody is in a hurry, and nothing is lost. */
import type { WorkerGroup } from '../config/grammars.ts'
import type { Registry } from '../pipelines/registry.ts'
import type { StopOptions } from '../supervisor/supervisor.ts'
import type { DrainOrder } from './order.ts'
import { stagesGiveBackMs } from './stop-budget.ts'

export type HandOverOptions = {
  groups: readonly WorkerGroup[]
  registry: Pick<Registry, 'all'>
  /** For stages that set none of their own. */
  timeLimitS: number
}

/** After its signal a stage writes down where it stands. */
const GIVE_BACK_MS = 10_000

/** A stage with steps goes on elsewhere at its next one; any other may run as long as it ever may. */
export function createHandOver({ groups, registry, timeLimitS }: HandOverOptions) {
  return (group: string): Required<StopOptions> => {
    const queues: readonly string[] = groups.find(({ name }) => name === group)?.queues ?? []
    const stages = registry.all().flatMap((pipeline) => pipeline.stages)
    const limits = stages.flatMap((stage) => (queues.includes(stage.queue) ? [stage.timeLimitS ?? timeLimitS] : []))
    const abortInMs = Math.max(timeLimitS, ...limits) * 1_000
    const drain: DrainOrder = { reason: 'recycle', abortInMs, giveBackMs: stagesGiveBackMs(GIVE_BACK_MS) }
    return { drain, deadlineMs: performance.now() + abortInMs + GIVE_BACK_MS }
  }
}
