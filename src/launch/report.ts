/** Gathers what the lines at boot say. */
import type { Config } from '../config.ts'
import { describeProviders } from '../providers/pick.ts'
import type { ReadyFact } from './facts.ts'
import type { OuterLimit } from './outer-limit.ts'
import type { ChosenRedis } from './redis-choice.ts'
import type { Interrupted } from './resume.ts'
import type { Service } from './service.ts'

export type ReportParts = {
  config: Config
  version: string
  startedMs: number
  service: Service
  redis: ChosenRedis
  interrupted: Interrupted[]
  outerLimit: Promise<OuterLimit | null>
}

/** Puts into the queues what the folders ask for, and describes the running program. */
export async function fillQueuesAndReport(parts: ReportParts): Promise<ReadyFact> {
  const { config, version, startedMs, service, redis, interrupted } = parts
  const [providers] = await Promise.all([describeProviders(config), service.dispatchOpen()])
  const { location, place } = redis
  return {
    type: 'ready',
    version,
    ms: Math.round(performance.now() - startedMs),
    url: service.server.url,
    dataDir: config.dataDir,
    redis: {
      mode: place.mode,
      where: place.describe(),
      why: location.mode === 'spawn' ? location.why : null,
      warning: location.mode === 'attach' ? location.note : null,
    },
    workers: config.workers.map((w) => ({ ...w })),
    providers,
    pipelines: { names: service.registry.all().map((p) => p.name), problems: service.registry.problems },
    interrupted,
    resume: config.resume,
    notes: config.notes,
    loginUrl: service.loginUrl(),
    outerLimit: await parts.outerLimit,
    withoutInit: process.pid === 1,
  }
}
