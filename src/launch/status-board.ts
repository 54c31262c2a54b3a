/** Composes `/status` from what is known in memory; slow facts are sampled once for all who ask. */
import type { StatusData } from '../api/schemas/status.ts'
import type { Catalog } from '../project/catalog.ts'
import type { ProjectStore } from '../project/store.ts'
import type { Dispatcher, QueueCounts } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import type { RedisHealth } from '../redis/monitor.ts'
import { QUEUE_NAMES } from '../settings.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Phase } from './phase.ts'

export type StatusSources = {
  version: string
  startedMs: number
  children: () => ChildStatus[]
  held: (pid: number | null) => HeldJob[]
  redis: { mode: 'spawned' | 'attached'; latest: () => RedisHealth }
  dispatcher: Pick<Dispatcher, 'counts'>
  store: Pick<ProjectStore, 'openIds' | 'open'>
  catalog: Pick<Catalog, 'counts'>
  /** By queue, since the program began. */
  failedStages: () => ReadonlyMap<string, number>
  phase: () => Phase
  /** Groups that must each have a ready process. */
  groups: readonly string[]
}

const SAMPLE_MS = 1_000
const BOARD_MS = 50

export function createStatusBoard(sources: StatusSources): () => Promise<StatusData> {
  const queues = createSample(() => sources.dispatcher.counts().catch(() => NO_COUNTS), SAMPLE_MS)
  const projects = createSample(() => countProjects(sources), SAMPLE_MS)
  let board: { data: Promise<StatusData>; phase: Phase; atMs: number } | undefined

  async function compose(): Promise<StatusData> {
    const [waiting, counted] = await Promise.all([queues(), projects()])
    const uptime_s = Math.round(performance.now() - sources.startedMs) / 1_000
    const children = sources.children()
    const services = servicesOf(sources, children)
    const { version } = sources
    return {
      ...verdict(sources, services, children),
      version,
      pid: process.pid,
      uptime_s,
      services,
      queues: withFailed(waiting, sources.failedStages()),
      projects: counted,
    }
  }

  /** Many may ask many times a second; the processes change less often than that. */
  return () => {
    const [phase, atMs] = [sources.phase(), performance.now()]
    if (!board || board.phase !== phase || atMs - board.atMs > BOARD_MS) board = { data: compose(), phase, atMs }
    return board.data
  }
}

const NO_COUNTS = Object.fromEntries(
  QUEUE_NAMES.map((name) => [name, { waiting: 0, active: 0, failed: 0 } satisfies QueueCounts]),
)

/** A queue keeps no job that has failed: its stage has, and is counted by whoever ran it. */
function withFailed(
  counts: Record<string, QueueCounts>,
  failed: ReadonlyMap<string, number>,
): Record<string, QueueCounts> {
  const rows = Object.entries(counts).map(([queue, of]) => [queue, { ...of, failed: failed.get(queue) ?? 0 }])
  return Object.fromEntries(rows)
}

/** The newest value; asks again, once for all callers, when it is older than `maxAgeMs`. Only the first has to wait. */
function createSample<T>(ask: () => Promise<T>, maxAgeMs: number): () => Promise<T> {
  let latest: { value: T } | undefined
  let asking: Promise<T> | undefined
  let askedMs = Number.NEGATIVE_INFINITY

  async function refresh(): Promise<T> {
    askedMs = performance.now()
    try {
      const value = await ask()
      latest = { value }
      return value
    } finally {
      asking = undefined
    }
  }

  return async () => {
    if (performance.now() - askedMs >= maxAgeMs) asking ??= refresh()
    if (!latest) return asking ?? refresh()
    asking?.catch(() => {}) // the last value is shown until the next look succeeds
    return latest.value
  }
}

async function countProjects({ catalog, store }: StatusSources): Promise<StatusData['projects']> {
  const counts = await catalog.counts()
  let interrupted = 0
  for (const id of await store.openIds()) {
    const project = await store.open(id).catch(() => undefined) // deleted meanwhile
    if (project?.read().state.reason === 'interrupted') interrupted++
  }
  return { running: (counts.running ?? 0) + (counts.queued ?? 0), interrupted, failed: counts.failed ?? 0 }
}

function servicesOf(sources: StatusSources, children: ChildStatus[]): StatusData['services'] {
  const redis = children.find((c) => c.group === 'redis')
  const scheduler = children.find((c) => c.group === 'scheduler')
  const workers = children.filter(isWorker)
  const { running, latency_ms } = sources.redis.latest()
  const alive = scheduler?.ready ?? false
  return {
    redis: { running, process: redis?.alive ?? false, mode: sources.redis.mode, pid: redis?.pid ?? null, latency_ms },
    worker: {
      process: workers.some((w) => w.alive),
      alive: sources.groups.every((group) => workers.some((w) => w.group === group && w.ready)),
      workers: workers.map((w) => ({ ...workerView(w), active: activeOf(sources.held(w.pid)) })),
    },
    scheduler: {
      process: scheduler?.alive ?? false,
      alive,
      pid: scheduler?.pid ?? null,
      restarts: scheduler?.restarts ?? 0,
    },
    beat: { process: scheduler?.alive ?? false, alive },
  }
}

function isWorker({ group }: ChildStatus): boolean {
  return group !== 'redis' && group !== 'scheduler'
}

/** One more that comes up for the first time, or one that somebody wanted to go: nothing is missing. */
function isPlanned({ role, phase, restarts, last_exit }: ChildStatus): boolean {
  const isNew = restarts === 0 && last_exit === null && (phase === 'waiting' || phase === 'starting')
  return role !== 'current' || phase === 'stopping' || isNew
}

function blockedText({ name, blocked }: ChildStatus): string {
  const silence = `${name} gives no sign of life for ${blocked?.since_s.toFixed(0)} s`
  return blocked?.where ? `${silence}: it is in ${blocked.where}` : silence
}

function workerView(w: ChildStatus) {
  const { name, group, pid, alive, ready, restarts, rss_bytes, cpu_percent, uptime_s } = w
  return {
    name,
    group,
    pid,
    alive,
    ready,
    restarts,
    rss_bytes,
    cpu_percent,
    uptime_s,
    last_exit: w.last_exit?.reason ?? null,
    blocked: w.blocked,
  }
}

function activeOf(jobs: HeldJob[]) {
  const running = jobs.filter((job) => job.running)
  return running.map(({ projectId, stage, since }) => ({ project_id: projectId, stage, since }))
}

/** healthy: all of it; degraded: work goes on with less; unhealthy: work stands still. */
function verdict(
  sources: StatusSources,
  { redis, worker, scheduler }: StatusData['services'],
  children: ChildStatus[],
): Pick<StatusData, 'status' | 'message'> {
  const phase = sources.phase()
  const { refusal } = sources.redis.latest()
  if (phase === 'stopping') return { status: 'stopping', message: 'stopping' }
  const problems = [
    ...(redis.running ? [] : ['Redis does not answer']),
    ...(redis.running && refusal !== null ? [`Redis cannot be used: ${refusal}`] : []),
    ...(worker.alive ? [] : ['a group of workers has no ready process']),
  ]
  if (phase === 'starting') return { status: 'starting', message: 'starting' }
  if (problems.length > 0) return { status: 'unhealthy', message: problems.join('; ') }
  const lesser = [
    ...(scheduler.alive ? [] : ['the scheduler is not ready']),
    ...children.filter((c) => isWorker(c) && !c.ready && !isPlanned(c)).map((c) => `${c.name} is not ready`),
    ...children.filter((c) => c.blocked).map(blockedText),
  ]
  if (lesser.length > 0) return { status: 'degraded', message: lesser.join('; ') }
  return { status: 'healthy', message: 'all services are running' }
}
