/** `/metrics`: one look at everything, written in Prometheus' text format. Costs nothing until somebody asks. */
import type { ApiDeps } from '../api/deps.ts'
import { createLoopWatch } from '../lib/loop-delay.ts'
import { within } from '../lib/until.ts'
import type { Catalog } from '../project/catalog.ts'
import type { QueueCounts } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import type { RedisHealth } from '../redis/monitor.ts'
import type { Hub } from '../stream/hub.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { hearBeat } from './beat.ts'
import { type Family, familiesOf, type ProcessFacts, type Snapshot } from './metric-families.ts'
import type { Totals } from './totals.ts'
import { activeJobs } from './worker-view.ts'

export type MetricSources = {
  version: string
  children: () => ChildStatus[]
  held: (pid: number | null) => HeldJob[]
  totals: Totals
  counts: () => Promise<Record<string, QueueCounts>>
  /** Milliseconds since 1970, by queue. */
  oldest: () => Promise<ReadonlyMap<string, number>>
  redis: () => RedisHealth
  catalog: Pick<Catalog, 'counts'>
  hub: Pick<Hub, 'stats'>
}

type Places = Parameters<ApiDeps['metrics']>[0]

/** A scrape that waits for Redis longer than this goes without its numbers. */
const REDIS_MS = 1_000

export function createMetrics(sources: MetricSources): ApiDeps['metrics'] {
  const loopDelayMs = createLoopWatch()
  return async (places) => write(familiesOf(await look(sources, { places, loopDelayMs: loopDelayMs() })))
}

async function look(sources: MetricSources, own: { places: Places; loopDelayMs: number | null }): Promise<Snapshot> {
  const { version, totals, catalog, hub } = sources
  const children = sources.children()
  totals.note(children)
  const [counts, oldest, projects] = await Promise.all([
    fromRedis(sources.counts),
    fromRedis(sources.oldest),
    catalog.counts(),
  ])
  const nowMs = Date.now()
  return {
    version,
    processes: [...children.map((child) => factsOf(child, sources)), supervisorFacts(own.loopDelayMs)],
    cpuSeconds: new Map([...totals.cpuSeconds(), ['supervisor', cpuSecondsOf(process.cpuUsage())]]),
    restarts: totals.restarts(),
    groups: new Map([...totals.groups(), ['supervisor', 'supervisor']]),
    counts,
    oldestS: new Map([...(oldest ?? [])].map(([queue, ms]) => [queue, Math.max(0, nowMs - ms) / 1_000])),
    stages: totals.queues(),
    projects,
    hub: hub.stats(),
    places: own.places,
    redis: sources.redis(),
  }
}

/** Away or silent: its numbers are left out, and `redis_up` says why. */
function fromRedis<T>(ask: () => Promise<T>): Promise<T | undefined> {
  return within(
    ask().catch(() => undefined),
    REDIS_MS,
    undefined,
  )
}

function factsOf(child: ChildStatus, { held }: MetricSources): ProcessFacts {
  const { name, group, alive, ready, rss_bytes, beat_age_s, started_at } = child
  const { loopDelayMs } = hearBeat(child.beat)
  return {
    name,
    group,
    alive,
    ready,
    rss_bytes,
    beat_age_s,
    startedS: started_at === null ? null : Date.parse(started_at) / 1_000,
    loopDelayS: secondsOf(loopDelayMs),
    jobs: group === 'redis' || group === 'scheduler' ? null : activeJobs(held(child.pid)).length,
  }
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1_000
}

function supervisorFacts(loopDelayMs: number | null): ProcessFacts {
  return {
    name: 'supervisor',
    group: 'supervisor',
    alive: true,
    ready: true,
    rss_bytes: process.memoryUsage.rss(),
    beat_age_s: null,
    startedS: performance.timeOrigin / 1_000,
    loopDelayS: secondsOf(loopDelayMs),
    jobs: null,
  }
}

function cpuSecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6
}

/** A registry for this one answer: what is gone since the last one leaves no series behind. */
async function write(families: Family[]): Promise<{ text: string; contentType: string }> {
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  for (const { name, type, help, samples } of families) {
    const settings = { name, help, labelNames: Object.keys(samples[0]![0]), registers: [registry] }
    if (type === 'gauge') {
      const metric = new Gauge(settings)
      for (const [labels, value] of samples) metric.set(labels, value)
    } else {
      const metric = new Counter(settings)
      for (const [labels, value] of samples) metric.inc(labels, value)
    }
  }
  return { text: await registry.metrics(), contentType: registry.contentType }
}
