/** The API and all that it needs, inside the supervisor's process. Loaded while the children are booting. */
import { createApp } from '../api/app.ts'
import { createOneTimeLogins } from '../api/auth.ts'
import { type ApiServer, startServer } from '../api/server.ts'
import type { Config } from '../config.ts'
import { messageOf } from '../lib/errors.ts'
import { createLog, type Log } from '../lib/log.ts'
import { within } from '../lib/until.ts'
import { loadPipelines, type Registry } from '../pipelines/registry.ts'
import { type Catalog, createCatalog } from '../project/catalog.ts'
import type { DataLayout } from '../project/layout.ts'
import { isLeaseHeld } from '../project/lease.ts'
import type { ClaimOwner } from '../project/records.ts'
import { SETTLE_MS } from '../project/state-file.ts'
import { createProjectStore, type Project, type ProjectStore } from '../project/store.ts'
import { missingPrograms } from '../providers/pick.ts'
import { readOldest } from '../queue/ages.ts'
import { createCommands } from '../queue/commands.ts'
import { createDispatcher, type Dispatcher } from '../queue/dispatcher.ts'
import type { HeldJob } from '../queue/job.ts'
import { createLive, type Live } from '../queue/live.ts'
import { createReader, type ProjectReader } from '../queue/reader.ts'
import { type ReconcileDeps, reconcile } from '../queue/reconcile.ts'
import { openRedis } from '../redis/client.ts'
import { createKeys } from '../redis/keys.ts'
import { createRedisWatch, type RedisWatch } from '../redis/monitor.ts'
import type { RedisPlace } from '../redis/place.ts'
import { createHub, type Hub, type ProjectSource } from '../stream/hub.ts'
import { createProducer } from '../stream/producer.ts'
import type { ChildSpec } from '../supervisor/spec.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { createExplainer } from './explainer.ts'
import type { LaunchFact } from './facts.ts'
import { createKnownProcesses } from './known-processes.ts'
import { createLogReader } from './log-reader.ts'
import { type Management, startManagement } from './management.ts'
import type { Phase } from './phase.ts'
import { viewPipelines } from './pipeline-view.ts'
import { createReadiness } from './readiness.ts'
import type { Records } from './records.ts'
import { createStatusBoard } from './status-board.ts'

export type ServiceOptions = {
  config: Config
  version: string
  startedMs: number
  layout: DataLayout
  dataId: string
  place: RedisPlace
  supervisor: Supervisor
  /** For one more worker of a group. */
  workerSpec: (name: string, group: string) => ChildSpec
  held: (pid: number | null) => HeldJob[]
  /** Tells all workers to look at a project's journal now. */
  nudge: (projectId: string) => void
  phase: () => Phase
  records: Records
  onFact: (fact: LaunchFact) => void
}

export type Service = {
  server: ApiServer
  registry: Registry
  store: ProjectStore
  catalog: Catalog
  dispatcher: Dispatcher
  watch: RedisWatch
  /** Tells viewers the statuses that the journal holds. */
  announce(project: Project): Promise<void>
  /** Fills the queues from the folders; when Redis is away, the scheduler does it once it is back. */
  dispatchOpen(): Promise<void>
  /** To be told of everything that happens to the processes. */
  note: Management['note']
  /** To be told of the stages that failed in the name of a process that cannot say so itself. */
  noteFailure: Management['noteFailure']
  /** A link that logs a browser in, once; null when no token is set. */
  loginUrl(): string | null
  /** Running requests may end for `graceMs`. Afterwards nothing of it writes any more. */
  stop(graceMs: number): Promise<void>
}

export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, layout, place } = options
  const log = createLog('api', config.log.level, (line) => options.onFact({ type: 'api_line', line }))
  const registry = await loadPipelines(config.pipelinesDir)
  const store = createProjectStore(layout)
  const catalog = createCatalog(store, log)
  const connection = openRedis(place, 'fast')
  const keys = createKeys(options.dataId)
  const dispatcher = createDispatcher({ connection, prefix: keys.bull, log })
  const watch = createRedisWatch(place)
  watch.onRefusal((why) => log.error({}, `the Redis at ${place.describe()} must not be used: ${why}`))
  const oneTime = createOneTimeLogins()
  const reader = createReader(store, catalog)
  const hub = createHub({ place, keys, source: sourceOf(reader), log })
  const live = createLive(createProducer({ redis: connection, keys, log }))
  const oldest = () => readOldest(connection, keys.bull)
  const sources = { counts: dispatcher.counts, oldest, redis: watch.latest, catalog, hub }
  const management = startManagement({ options, registry, log, sources })
  const parts: Parts = { options, log, registry, store, catalog, dispatcher, watch, reader, hub, live, management }
  const app = createApp({ ...apiDeps(parts), auth: { ...authOf(config), oneTime } })
  const server = await startServer(app, { host: config.host, port: config.port, log })
  const { operatorToken } = config.auth
  const facts = {
    isHeld: (owner: ClaimOwner) => isLeaseHeld(layout.leases, owner),
    resume: config.resume,
    nowMs: Date.now,
    hasRoom: () => false,
  }
  const reconciling: ReconcileDeps = { store, dispatcher, log, facts }
  return {
    server,
    registry,
    store,
    catalog,
    dispatcher,
    watch,
    announce: live.announce,
    note: management.note,
    noteFailure: management.noteFailure,
    async dispatchOpen() {
      await reconcile(reconciling).catch((error) =>
        log.debug({ error: messageOf(error) }, 'the queues are filled later'),
      )
    },
    loginUrl: () => (operatorToken === null ? null : `${server.url}/login?token=${oneTime.issue(operatorToken)}`),
    async stop(graceMs) {
      management.stop()
      await Promise.all([server.close(graceMs), hub.close()]) // in this order viewers hear why they are sent away
      watch.stop()
      await dispatcher.close().catch(() => {}) // Redis may be away
      connection.disconnect()
      await within(store.settle(), SETTLE_MS, undefined)
    },
  }
}

type Parts = {
  options: ServiceOptions
  log: Log
  registry: Registry
  store: ProjectStore
  catalog: Catalog
  dispatcher: Dispatcher
  watch: RedisWatch
  reader: ProjectReader
  hub: Hub
  live: Live
  management: Management
}

/** What viewers are shown of projects that stream no more. */
function sourceOf(reader: ProjectReader): ProjectSource {
  return {
    async read(id) {
      const state = await reader.read(id)
      return state && { state, texts: await reader.texts(id) }
    },
    revisions: reader.revisions,
  }
}

function apiDeps(parts: Parts) {
  const { options, log, registry, store, catalog, dispatcher, watch, reader, hub, live, management } = parts
  const { config, version, startedMs, layout, place, supervisor, held, nudge, phase } = options
  const children = supervisor.status
  const groups = config.workers.map((w) => w.name)
  const redis = { mode: place.mode, latest: watch.latest }
  return {
    version,
    startedMs,
    log,
    allowedHosts: [...config.allowedHosts],
    paths: { idempotency: layout.idempotency },
    commands: createCommands({
      store,
      catalog,
      registry,
      dispatcher,
      nudge,
      announce: live.announce,
      missingPrograms: (needs) => missingPrograms(needs, config),
    }),
    projects: reader,
    hub,
    maxSockets: config.maxSockets,
    pipelines: () => viewPipelines(registry),
    status: createStatusBoard({
      ...{ version, startedMs, children, held, redis, dispatcher, store, catalog, phase, groups },
      failedStages: management.failedStages,
    }),
    ready: createReadiness({ redis: watch.latest, children, groups, dataDir: layout.root, phase }),
    workforce: management.workforce,
    explain: createExplainer({ folder: layout.logs, children }),
    logs: createLogReader(
      options.records.logs,
      createKnownProcesses({ folder: layout.logs, groups: config.workers, children }),
    ),
    metrics: management.metrics,
  }
}

function authOf(config: Config) {
  return { operatorToken: config.auth.operatorToken, users: [...config.auth.users] }
}
