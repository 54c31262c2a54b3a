/** What operators and monitors get to know and to do about the processes, and the upkeep that runs by itself. */
import type { ApiDeps } from '../api/deps.ts'
import type { Config } from '../config.ts'
import type { Log } from '../lib/log.ts'
import type { Registry } from '../pipelines/registry.ts'
import type { HeldJob } from '../queue/job.ts'
import type { QueueName } from '../settings.ts'
import type { ChildSpec } from '../supervisor/spec.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import type { LaunchFact } from './facts.ts'
import { createHandOver } from './hand-over.ts'
import { createMetrics, type MetricSources } from './metrics.ts'
import type { Phase } from './phase.ts'
import { createTotals } from './totals.ts'
import { startUpkeep, type Upkeep } from './upkeep.ts'
import { createWorkforce } from './workforce.ts'

export type ManagementParts = {
  options: {
    config: Config
    version: string
    supervisor: Supervisor
    /** For one more worker of a group. */
    workerSpec: (name: string, group: string) => ChildSpec
    held: (pid: number | null) => HeldJob[]
    phase: () => Phase
    onFact: (fact: LaunchFact) => void
  }
  registry: Registry
  log: Log
  sources: Pick<MetricSources, 'counts' | 'oldest' | 'redis' | 'catalog' | 'hub'>
}

export type Management = Pick<ApiDeps, 'workforce' | 'metrics'> &
  Upkeep & {
    /** By queue, since the program began. */
    failedStages(): ReadonlyMap<string, number>
    /** A stage that the supervisor has failed. */
    noteFailure(queue: QueueName): void
  }

export function startManagement({ options, registry, log, sources }: ManagementParts): Management {
  const { config, version, held, phase, supervisor, workerSpec, onFact } = options
  const groups = config.workers
  const totals = createTotals()
  const handOver = createHandOver({ groups, registry, timeLimitS: config.timeLimitS })
  const { maxJobs, maxRssMb } = config.recycle
  const upkeep = startUpkeep({
    supervisor,
    totals,
    limits: { maxJobs, maxRssBytes: maxRssMb * 2 ** 20 },
    groups,
    handOver,
    phase,
    log,
  })
  return {
    ...upkeep,
    workforce: createWorkforce({ supervisor, groups, specFor: workerSpec, held, handOver, phase, onFact, log }),
    failedStages() {
      totals.note(supervisor.status())
      return new Map([...totals.queues()].map(([queue, { failed }]) => [queue, failed]))
    },
    noteFailure: totals.noteFailure,
    metrics: createMetrics({ ...sources, version, children: supervisor.status, held, totals }),
  }
}
