/** The composition root: starts everything in order, and stops it in reverse. Tests boot this very value. */
import { randomUUID } from 'node:crypto'
import { childSpecs, workerSpec } from './children.ts'
import { secretsInAddress } from './config/secrets.ts'
import type { Config } from './config.ts'
import { type App, createApp, faultOf } from './launch/app.ts'
import { startConsumerWatch } from './launch/consumer-watch.ts'
import { openDataFolder, type RunFile } from './launch/data-folder.ts'
import { type ChildExit, takeJobsBack } from './launch/dead-worker.ts'
import { endEarlierRun, findInterrupted } from './launch/earlier-run.ts'
import type { LaunchFact } from './launch/facts.ts'
import { endFailedBoot } from './launch/failed-boot.ts'
import { createHeldJobs, type HeldJobs } from './launch/held-jobs.ts'
import type { ChildOrder, Nudge } from './launch/order.ts'
import { findOuterLimit, type OuterLimit } from './launch/outer-limit.ts'
import { createOutsideKills, type OutsideKills } from './launch/outside-kills.ts'
import { startOverdueWatch } from './launch/overdue-watch.ts'
import type { Phase } from './launch/phase.ts'
import { assertPortFree } from './launch/port-check.ts'
import { openRecords, type Records } from './launch/records.ts'
import { type ChosenRedis, chooseRedis } from './launch/redis-choice.ts'
import { type RedisSearch, searchRedis } from './launch/redis-search.ts'
import type { Interrupted } from './launch/resume.ts'
import type { Service } from './launch/service.ts'
import { type OwnFolder, workerNames } from './launch/stop.ts'
import { childEnvironment } from './lib/child-environment.ts'
import { messageOf } from './lib/errors.ts'
import { createMemoryKills, type MemoryKills } from './lib/memory-kills.ts'
import type { Redactor } from './lib/redact.ts'
import { rejectionBy } from './lib/until.ts'
import { dataLayout } from './project/layout.ts'
import { startGuardian } from './supervisor/guardian.ts'
import type { ChildSpec } from './supervisor/spec.ts'
import { createSupervisor, type Supervisor } from './supervisor/supervisor.ts'

export type BootOptions = {
  config: Config
  version: string
  /** `performance.now()` when the program began. */
  startedMs: number
  onFact: (fact: LaunchFact) => void
  /** Hides secrets; learns here what else is one. */
  redactor: Redactor
  /** Ends a boot that is still under way. Once processes run there is an app all the same, which is to be stopped. */
  signal: AbortSignal
  /** Is given whoever keeps what nobody expected, as far as the boot has come. */
  onFault: (act: (error: unknown) => void) => void
  /** More variables for the children, e.g. where compiled code is cached. */
  childEnv?: Record<string, string>
}

/** The running program, or where the one that owns the data folder runs. */
export async function boot(options: BootOptions): Promise<App | { runningAt: RunFile }> {
  const layout = dataLayout(options.config.dataDir)
  const onWait = (sentence: string) => options.onFact({ type: 'progress', sentence })
  const own = await openDataFolder(layout, { signal: options.signal, onWait })
  if ('runningAt' in own) return own
  const runId = randomUUID()
  const records = await openRecords({ ...options, folder: layout.logs, runId })
  options.onFault((error) => records.tell(faultOf(error)))
  const guardian = startGuardian(runId, SAVES_ON_TERM)
  const abandon = () => records.close().finally(own.release)
  const folder = { ...own, abandon, release: () => guardian.release().then(abandon, abandon) }
  const memory = createMemoryKills()
  const search = searchRedis(options, runId)
  try {
    const noted = { held: createHeldJobs(), kills: createOutsideKills() }
    const fresh = { runId, ...noted, records, onFact: records.tell, phase: 'starting' as const }
    const outerLimit = findOuterLimit(options.config.outside)
    return await start({ ...options, ...fresh, layout, folder, search, memory, outerLimit })
  } catch (error) {
    memory.stop()
    await search.end()
    records.tell({ type: 'boot_failed', reason: messageOf(error) })
    await folder.abandon()
    throw error
  }
}

/** A Redis writes its file out. */
const SAVES_ON_TERM = ['redis-server', 'valkey-server']

type Run = BootOptions & {
  layout: ReturnType<typeof dataLayout>
  folder: OwnFolder
  search: RedisSearch
  runId: string
  records: Records
  held: HeldJobs
  kills: OutsideKills
  memory: MemoryKills
  phase: Phase
  outerLimit: Promise<OuterLimit | null>
}

async function start(run: Run): Promise<App> {
  const { config, onFact } = run
  await unlessEnded(run, assertPortFree(config.host, config.port))
  await unlessEnded(run, endEarlierRun({ ...run, dataId: run.folder.dataId, termFirst: SAVES_ON_TERM }))
  const interrupted = await unlessEnded(run, findInterrupted(run))
  const env = { ...run.childEnv, ...childEnvironment({ ...run.folder, runId: run.runId, parentPid: process.pid }) }
  const location = await run.search.location
  const redis = await unlessEnded(run, chooseRedis({ config, dataId: run.folder.dataId, env, location }))
  for (const secret of secretsInAddress(redis.place.url)) run.redactor.add(secret)
  let service: Service | undefined
  const loaded = Promise.withResolvers<Service>()
  const order = (name: string, group: string | null) => orderFor(run, redis, { name, group })
  const plan = { config, env, redis: redis.spec, order }
  const supervisor = createSupervisor({
    specs: childSpecs(plan),
    policy: { hangKillMs: config.hangKillS * 1_000 },
    onFact(fact) {
      onFact(fact)
      service?.note(fact)
      if (fact.type === 'child_exited') void loaded.promise.then((service) => takeBack(run, service, fact))
    },
    onMessage: run.held.note,
    cleanLine: run.redactor.clean,
    isOwnFault: ({ signal }) => signal === 'SIGKILL' && run.memory.justNow(),
  })
  const moreWorkers = (name: string, group: string) => workerSpec(plan, name, group)
  run.signal.throwIfAborted() // so far nothing runs
  const rise = bringUp(run, { supervisor, redis, interrupted, workerSpec: moreWorkers })
  rise.service.then(
    (is) => {
      service = is
      loaded.resolve(is)
    },
    () => {}, // heard where the rise is awaited
  )
  const app = createApp({ ...run, run, supervisor, service: rise.service })
  try {
    await rise.up
  } catch (error) {
    if (run.signal.aborted) return app // stages may run by now: what comes is a stop like any other
    await endFailedBoot({ layout: run.layout, dataId: run.folder.dataId, supervisor, service: rise.service })
    throw error
  }
  return app
}

/** Workers work before everything is up: what one held that ends then waits no longer than for the service. */
function takeBack(run: Run, service: Service, exit: ChildExit): Promise<void> {
  return takeJobsBack({ ...run, workers: run.config.workers, service }, exit)
}

/** A step that has begun is let end, for it leaves something in order; the next one does not begin. */
async function unlessEnded<T>({ signal }: Run, step: Promise<T>): Promise<T> {
  const result = await step
  signal.throwIfAborted()
  return result
}

function orderFor(
  { config, runId, folder }: Run,
  { place }: ChosenRedis,
  who: Pick<ChildOrder, 'name' | 'group'>,
): ChildOrder {
  return { config, runId, dataId: folder.dataId, redis: { url: place.url, mode: place.mode }, ...who }
}

type Parts = {
  supervisor: Supervisor
  redis: ChosenRedis
  interrupted: Interrupted[]
  workerSpec: (name: string, group: string) => ChildSpec
}

/** `up` resolves when all serve, and rejects when something fails or a signal comes. */
type Rise = { service: Promise<Service>; up: Promise<void> }

/** The API's modules are the heaviest: they load while the children connect. */
function bringUp(run: Run, parts: Parts): Rise {
  const ready = parts.supervisor.start()
  const aborted = rejectionBy(run.signal)
  // The children wait for Redis alone: what would keep this process busy comes after they have been let go.
  const service = Promise.race([parts.redis.serves, ready, aborted]).then(() => loadService(run, parts))
  const announced = service.then(async (loaded) => {
    await ready
    await announce(run, loaded, parts)
  })
  for (const one of [ready, service]) one.catch(() => {}) // heard through `up`
  return { service, up: Promise.race([announced, aborted]) }
}

async function loadService(run: Run, { supervisor, redis, workerSpec }: Parts): Promise<Service> {
  const { startService } = await import('./launch/service.ts')
  return startService({
    ...run,
    dataId: run.folder.dataId,
    place: redis.place,
    supervisor,
    workerSpec,
    held: run.held.of,
    nudge(projectId) {
      const nudge: Nudge = { type: 'nudge', projectId }
      for (const name of workerNames(supervisor)) supervisor.send(name, nudge)
    },
    phase: () => run.phase,
  })
}

async function announce(run: Run, service: Service, { supervisor, redis, interrupted }: Parts): Promise<void> {
  const { folder, runId: run_id, onFact } = run
  const { fillQueuesAndReport } = await import('./launch/report.ts')
  run.signal.throwIfAborted()
  run.phase = 'running'
  const { mode, describe } = redis.place
  const started_at = new Date().toISOString()
  await folder.announce({
    pid: process.pid,
    run_id,
    url: service.server.url,
    started_at,
    redis: { mode, url: describe() },
  })
  const report = await fillQueuesAndReport({ ...run, service, redis, interrupted })
  run.signal.throwIfAborted() // it says how to stop
  onFact(report)
  service.watch.onChange(({ running }) =>
    onFact({ type: 'redis_changed', running, ...(run.phase === 'stopping' && { stopping: true }) }),
  )
  const watched = { ...run, supervisor, service, phase: () => run.phase }
  startConsumerWatch(watched)
  startOverdueWatch(watched)
}
