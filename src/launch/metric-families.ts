/** The metrics as one table: names and units by the conventions of Prometheus, values from one look at everything. */
import { STATUSES } from '../project/project.ts'
import type { QueueCounts } from '../queue/dispatcher.ts'
import type { QueueTally } from '../queue/tally.ts'
import type { RedisHealth } from '../redis/monitor.ts'
import type { HubStats } from '../stream/hub.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'

/** A process as the metrics see it; the supervisor itself is one of them. Absent values have no sample. */
export type ProcessFacts = Pick<ChildStatus, 'name' | 'group' | 'alive' | 'ready' | 'rss_bytes' | 'beat_age_s'> & {
  startedS: number | null
  /** 99th percentile of about the last second. */
  loopDelayS: number | null
  /** Null for processes that run no jobs. */
  jobs: number | null
}

export type Snapshot = {
  version: string
  processes: ProcessFacts[]
  /** By slot, as are the groups that the slots belong to. */
  cpuSeconds: ReadonlyMap<string, number>
  restarts: ReadonlyMap<string, number>
  groups: ReadonlyMap<string, string>
  /** Undefined while Redis does not answer. */
  counts: Record<string, QueueCounts> | undefined
  oldestS: ReadonlyMap<string, number>
  stages: ReadonlyMap<string, QueueTally>
  projects: Record<string, number>
  hub: HubStats
  places: { taken: number; max: number }
  redis: RedisHealth
}

type Labels = Record<string, string>
export type Sample = readonly [labels: Labels, value: number]

export type Family = { name: string; type: 'gauge' | 'counter'; help: string; samples: Sample[] }

/** Only families that have a value now. */
export function familiesOf(snapshot: Snapshot): Family[] {
  const all = [
    ...processFamilies(snapshot),
    ...queueFamilies(snapshot),
    ...viewerFamilies(snapshot),
    ...redisFamilies(snapshot),
  ]
  return all.filter(({ samples }) => samples.length > 0)
}

function processFamilies({ version, processes, cpuSeconds, restarts, groups }: Snapshot): Family[] {
  const each = (value: (one: ProcessFacts) => number | null): Sample[] =>
    processes.flatMap((one) => {
      const is = value(one)
      return is === null ? [] : [[{ process: one.name, group: one.group }, is] as const]
    })
  const counted = (values: ReadonlyMap<string, number>): Sample[] =>
    [...values].map(([slot, value]) => [{ process: slot, group: groups.get(slot) ?? '' }, value])
  const measured = (one: ProcessFacts) => (one.rss_bytes > 0 ? one.rss_bytes : null)
  return [
    gauge('build_info', 'Always 1; its label says which version runs', [[{ version }, 1]]),
    gauge(
      'process_up',
      'Whether it has a living process',
      each((one) => Number(one.alive)),
    ),
    gauge(
      'process_ready',
      'Whether it serves',
      each((one) => Number(one.ready)),
    ),
    gauge('process_resident_memory_bytes', 'Memory that it holds', each(measured)),
    gauge(
      'process_start_time_seconds',
      'When it was started, since 1970',
      each((one) => one.startedS),
    ),
    gauge(
      'process_last_beat_age_seconds',
      'Since its last sign of life',
      each((one) => one.beat_age_s),
    ),
    gauge(
      'process_event_loop_delay_seconds',
      'How late its event loop ran in the last second, 99 %',
      each((one) => one.loopDelayS),
    ),
    gauge(
      'process_active_jobs',
      'Jobs that it runs',
      each((one) => one.jobs),
    ),
    counter('process_cpu_seconds_total', 'CPU used, over all its restarts', counted(cpuSeconds)),
    counter('process_restarts_total', 'Times it was started again, planned ones included', counted(restarts)),
  ]
}

/** A queue keeps no job that has failed; `queue_stages_total` counts them. */
const STATES = ['waiting', 'active'] as const
const OUTCOMES = ['completed', 'failed', 'retried', 'released'] as const

function queueFamilies({ counts = {}, oldestS, stages, projects }: Snapshot): Family[] {
  const jobs = Object.entries(counts).flatMap(([queue, of]) =>
    STATES.map((state): Sample => [{ queue, state }, of[state]]),
  )
  const ended = [...stages].flatMap(([queue, tally]) =>
    OUTCOMES.map((outcome): Sample => [{ queue, outcome }, tally[outcome]]),
  )
  const of = (key: 'started' | 'busy_s') => [...stages].map(([queue, tally]): Sample => [{ queue }, tally[key]])
  return [
    gauge('queue_jobs', 'Jobs in each state; waiting includes those that are due later', jobs),
    gauge('queue_oldest_waiting_seconds', 'For how long the next job could have run already', keyed(oldestS, 'queue')),
    counter('queue_jobs_started_total', 'Jobs taken by workers, since the program began', of('started')),
    counter('queue_stages_total', 'Stages that ended, by how; released: given back to go on later', ended),
    counter('queue_busy_seconds_total', 'Time that stages ran, added up', of('busy_s')),
    // A status that nobody has is 0: a series that ends would keep an alert as it was.
    gauge(
      'projects',
      'Projects by status',
      STATUSES.map((status) => [{ status }, projects[status] ?? 0]),
    ),
  ]
}

function viewerFamilies({ hub, places }: Snapshot): Family[] {
  const resumes = Object.entries(hub.resumes).map(([how, count]): Sample => [{ how }, count])
  return [
    gauge('stream_viewers', 'Live viewers', [[{}, hub.viewers]]),
    gauge('stream_projects', 'Projects that are kept ready for viewers', [[{}, hub.projects]]),
    counter('stream_conflations_total', 'Times a slow viewer got merged messages', [[{}, hub.conflations]]),
    counter('stream_joins_total', 'Viewers that came, by what they were given first', resumes),
    gauge('live_connections', 'Live connections, of all kinds', [[{}, places.taken]]),
    gauge('live_connections_limit', 'How many there may be (MAX_SOCKETS)', [[{}, places.max]]),
  ]
}

function redisFamilies({ redis }: Snapshot): Family[] {
  const latency: Sample[] = redis.latency_ms === null ? [] : [[{}, redis.latency_ms / 1_000]]
  return [
    gauge('redis_up', 'Whether Redis answers', [[{}, Number(redis.running)]]),
    gauge('redis_latency_seconds', 'How long its last answer took', latency),
  ]
}

function gauge(name: string, help: string, samples: Sample[]): Family {
  return { name: `showrunner_${name}`, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: Sample[]): Family {
  return { name: `showrunner_${name}`, type: 'counter', help, samples }
}

function keyed(values: ReadonlyMap<string, number>, label: string): Sample[] {
  return [...values].map(([key, value]) => [{ [label]: key }, value])
}
