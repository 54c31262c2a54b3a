/** The composition root: starts everything in order, and stops it in reverse. Tests boot this very value. */
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { childSpecs } from './children.ts'
import type { Config } from './config.ts'
import { type DataFolder, openDataFolder, type RunFile } from './launch/data-folder.ts'
import type { LaunchFact } from './launch/facts.ts'
import type { ChildOrder, DrainOrder, Nudge } from './launch/order.ts'
import { assertPortFree } from './launch/port-check.ts'
import type { Interrupted } from './launch/resume.ts'
import type { Service } from './launch/service.ts'
import { childEnvironment } from './lib/child-environment.ts'
import { dataLayout } from './project/layout.ts'
import { describeProviders } from './providers/pick.ts'
import type { HeldJob } from './queue/job.ts'
import { createKeys } from './redis/keys.ts'
import { locateRedis, type RedisLocation } from './redis/locate.ts'
import type { RedisPlace } from './redis/place.ts'
import { prepareOwnRedis } from './redis/spawn.ts'
import type { SupervisorFact } from './supervisor/facts.ts'
import type { ChildSpec } from './supervisor/spec.ts'
import { createSupervisor, type Supervisor } from './supervisor/supervisor.ts'
import { endSurvivors, findSurvivors } from './supervisor/sweep.ts'

export type BootOptions = {
  config: Config
  version: string
  /** `performance.now()` when the program began. */
  startedMs: number
  onFact: (fact: LaunchFact) => void
  /** Ends a boot that is still under way. */
  signal: AbortSignal
  /** More variables for the children, e.g. where compiled code is cached. */
  childEnv?: Record<string, string>
}

export type App = {
  readonly url: string
  readonly runId: string
  /** Drains, then stops all in order; each component's end is a fact. Calls share one stop. */
  stop(): Promise<void>
  /** The user is impatient: running steps are told to end, and all is over within two seconds. */
  hurry(): void
  /** SIGKILL to every process of ours, before it returns. */
  kill(): void
}

/** Running steps may end by themselves for so long, then they are told to. */
const ABORT_AFTER_MS = 18_000
/** Then they have so long to give their work back, before they are killed. */
const GIVE_BACK_MS = 5_000
const HURRY_MS = 1_500
const API_CLOSE_MS = 1_000
const REDIS_STOP_MS = 4_000

/** The running program, or where the one that owns the data folder runs. */
export async function boot(options: BootOptions): Promise<App | { runningAt: RunFile }> {
  const layout = dataLayout(options.config.dataDir)
  const folder = await openDataFolder(layout)
  if ('runningAt' in folder) return folder
  try {
    return await start({ ...options, layout, folder })
  } catch (error) {
    await folder.release()
    throw error
  }
}

type Ground = BootOptions & { layout: ReturnType<typeof dataLayout>; folder: DataFolder }

async function start(ground: Ground): Promise<App> {
  const { config, folder, layout, onFact } = ground
  await assertPortFree(config.host, config.port)
  await endEarlierRun(ground)
  const interrupted = await findInterrupted(ground)
  const runId = randomUUID()
  const env = { ...ground.childEnv, ...childEnvironment({ runId, dataId: folder.dataId, parentPid: process.pid }) }
  const redis = await chooseRedis(ground, env)
  const order = (name: string, group: string | null): ChildOrder => {
    const { url, mode } = redis.place
    return { config, runId, dataId: folder.dataId, redis: { url, mode }, group, name }
  }
  const held = new Map<string, HeldJob[]>()
  let service: Service | undefined
  const supervisor = createSupervisor({
    specs: childSpecs({ config, env, order, redis: redis.spec }),
    policy: { hangKillMs: config.hangKillS * 1_000 },
    onFact(fact) {
      onFact(fact)
      if (fact.type === 'child_exited') void takeJobsBack(fact, { held, service, onFact })
    },
    onMessage: (name, message) => noteHeld(held, name, message),
  })
  const life = createLife()
  const started = supervisor.start()
  started.catch(() => {}) // awaited below; the API's start may fail before it
  const giveUp = () => supervisor.kill()
  ground.signal.addEventListener('abort', giveUp, { once: true })
  try {
    service = await loadService(ground, { supervisor, held, redis, life })
    await started
    ground.signal.throwIfAborted()
  } catch (error) {
    supervisor.kill()
    await service?.stop(0)
    throw error
  }
  ground.signal.removeEventListener('abort', giveUp)
  life.phase = 'running'
  const run: RunFile = {
    pid: process.pid,
    run_id: runId,
    url: service.server.url,
    started_at: new Date().toISOString(),
    redis: { mode: redis.place.mode, url: redis.place.describe() },
  }
  await folder.announce(run)
  await report(ground, { service, redis, interrupted })
  return createApp({ ground, runId, supervisor, service, life, held })
}

type Life = { phase: 'starting' | 'running' | 'stopping' }

function createLife(): Life {
  return { phase: 'starting' }
}

/** What a killed run left is ended first: two Redis on the same files would corrupt them. */
async function endEarlierRun({ folder, onFact }: Ground): Promise<void> {
  const survivors = await endSurvivors(folder.dataId, { termFirst: ['redis-server', 'valkey-server'] })
  if (survivors.length > 0) onFact({ type: 'survivors_ended', survivors })
}

/** Few starts find open projects; only those pay for the code that reads them. */
async function findInterrupted({ config, layout }: Ground): Promise<Interrupted[]> {
  if ((await readdir(layout.open)).length === 0) return []
  const { findInterrupted: find } = await import('./launch/resume.ts')
  return find({ layout, resume: config.resume })
}

type ChosenRedis = { place: RedisPlace; spec: ChildSpec | null; location: RedisLocation }

async function chooseRedis({ config, folder, layout, onFact }: Ground, env: Record<string, string>): Promise<ChosenRedis> {
  const location = await locateRedis(config.redis, { onProgress: (sentence) => onFact({ type: 'progress', sentence }) })
  if (location.mode === 'attach') {
    await emptyQueues(location.place, folder.dataId)
    return { place: location.place, spec: null, location }
  }
  const own = await prepareOwnRedis({ binary: location.binary, dataDir: layout.root, port: location.port, env })
  return { place: own.place, spec: emptiedFirst(own.spec, () => emptyQueues(own.place, folder.dataId)), location }
}

/** What an earlier run left in the queues is older than what the folders say. */
async function emptyQueues(place: RedisPlace, dataId: string): Promise<void> {
  const { removeKeys } = await import('./redis/empty.ts')
  await removeKeys(place, createKeys(dataId).bull)
}

/** Our own Redis counts as ready once its old jobs are gone; when it comes back from a crash they are this run's. */
function emptiedFirst(spec: ChildSpec, empty: () => Promise<void>): ChildSpec {
  const { ready } = spec
  let emptied = false
  if (ready === 'message') return spec
  return {
    ...spec,
    async ready(signal) {
      await ready(signal)
      if (!emptied) await empty()
      emptied = true
    },
  }
}

/** The API's modules are the heaviest: they load while the children do the same in their own processes. */
async function loadService(
  ground: Ground,
  parts: { supervisor: Supervisor; held: Map<string, HeldJob[]>; redis: ChosenRedis; life: Life },
): Promise<Service> {
  const { startService } = await import('./launch/service.ts')
  const { config, version, startedMs, layout, folder } = ground
  const { supervisor, held, redis, life } = parts
  return startService({
    config,
    version,
    startedMs,
    layout,
    dataId: folder.dataId,
    place: redis.place,
    children: () => supervisor.status(),
    held: (worker) => held.get(worker) ?? [],
    nudge: (projectId) => {
      for (const { name } of supervisor.status()) supervisor.send(name, { type: 'nudge', projectId } satisfies Nudge)
    },
    phase: () => life.phase,
  })
}

type Reported = { service: Service; redis: ChosenRedis; interrupted: Interrupted[] }

async function report(ground: Ground, parts: Reported): Promise<void> {
  const { config, onFact, version, startedMs } = ground
  const { service, redis, interrupted } = parts
  const [providers] = await Promise.all([describeProviders({ ...config, nice: 0 }), service.dispatchOpen()])
  service.watch.onChange(({ running }) => onFact({ type: 'redis_changed', running }))
  const { location, place } = redis
  onFact({
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
  })
}

function noteHeld(held: Map<string, HeldJob[]>, name: string, message: unknown): void {
  const { type, jobs } = message as { type?: string; jobs?: HeldJob[] }
  if (type === 'held' && jobs) held.set(name, jobs)
}

/** A dead worker's jobs go back at once, instead of when their locks end; the new claim supersedes the old. */
async function takeJobsBack(
  fact: Extract<SupervisorFact, { type: 'child_exited' }>,
  parts: { held: Map<string, HeldJob[]>; service: Service | undefined; onFact: BootOptions['onFact'] },
): Promise<void> {
  const { held, service, onFact } = parts
  const jobs = held.get(fact.name) ?? []
  held.delete(fact.name)
  if (!service || jobs.length === 0) return
  const back = await Promise.all(jobs.map((job) => service.dispatcher.takeBack(job).catch(() => false)))
  // What could not be taken back (Redis is away too), the reconciler finds by the dead owner's claim.
  onFact({ type: 'jobs_taken_back', worker: fact.name, jobs: back.filter(Boolean).length })
}

type Running = {
  ground: Ground
  runId: string
  supervisor: Supervisor
  service: Service
  life: Life
  held: Map<string, HeldJob[]>
}

function createApp(running: Running): App {
  const { supervisor, service, life, runId } = running
  let stopping: Promise<void> | undefined
  const names = workNames(supervisor)
  return {
    url: service.server.url,
    runId,
    stop() {
      life.phase = 'stopping'
      stopping ??= stopAll(running)
      return stopping
    },
    hurry: () => supervisor.hurry(names, performance.now() + HURRY_MS),
    kill: () => supervisor.kill(),
  }
}

function workNames(supervisor: Supervisor): string[] {
  return supervisor.status().flatMap((c) => (c.group === 'redis' ? [] : [c.name]))
}

async function stopAll({ ground, runId, supervisor, service, held }: Running): Promise<void> {
  const { onFact, folder } = ground
  const startedMs = performance.now()
  const jobs = [...held.values()].flat()
  const deadlineMs = startedMs + ABORT_AFTER_MS + GIVE_BACK_MS
  onFact({
    type: 'stopping',
    running: jobs.map((j) => ({ stage: j.stage, project: j.projectId })),
    deadlineS: Math.round((deadlineMs - startedMs) / 1_000),
  })
  const drain: DrainOrder = { reason: 'stop', abortInMs: ABORT_AFTER_MS }
  await supervisor.stop(workNames(supervisor), { drain, deadlineMs })
  await timed('api', onFact, () => service.stop(API_CLOSE_MS))
  await supervisor.stop(['redis'], { deadlineMs: performance.now() + REDIS_STOP_MS })
  const left = await findSurvivors(folder.dataId)
  await folder.release()
  onFact({ type: 'stopped', ms: Math.round(performance.now() - startedMs), left: left.map((s) => s.pid) })
}

async function timed(name: string, onFact: BootOptions['onFact'], stop: () => Promise<void>): Promise<void> {
  const startedMs = performance.now()
  await stop()
  onFact({ type: 'component_stopped', name, ms: Math.round(performance.now() - startedMs) })
}
