/** A worker process: BullMQ consumers for the queues of its group, stages run by claims on disk. */
import './preload.ts'
import { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import type { Redis } from 'ioredis'
import { environment } from './child-env.ts'
import { inheritedSecrets, secretsInAddress, secretsOf } from './config/secrets.ts'
import type { Config } from './config.ts'
import type { LastWords } from './launch/held-jobs.ts'
import type { ChildOrder, DrainOrder, Nudge, Refresh, Share, WorkerBeat } from './launch/order.ts'
import { HURRY, stagesGiveBackMs } from './launch/stop-budget.ts'
import { endDescendants, presentTask } from './lib/job-scope.ts'
import { createLog, type Log } from './lib/log.ts'
import { createLoopMeter } from './lib/loop-delay.ts'
import { createRedactor } from './lib/redact.ts'
import { within } from './lib/until.ts'
import type { Drain, DrainReason } from './pipelines/attempt-run.ts'
import { loadPipelines } from './pipelines/registry.ts'
import { dataLayout } from './project/layout.ts'
import { holdLease, isLeaseHeld } from './project/lease.ts'
import { SETTLE_MS } from './project/state-file.ts'
import { createProjectStore } from './project/store.ts'
import { createProviders } from './providers/pick.ts'
import { type Consumer, createConsumer } from './queue/consumer.ts'
import { createDispatcher, type Dispatcher } from './queue/dispatcher.ts'
import { STUCK_EXIT } from './queue/job.ts'
import { createLive } from './queue/live.ts'
import { type ProcessDeps, processJob } from './queue/process-job.ts'
import { createSolitude } from './queue/solitude.ts'
import { watchAnswers } from './redis/answers.ts'
import { openRedis, untilReady } from './redis/client.ts'
import { createKeys } from './redis/keys.ts'
import { createProducer } from './stream/producer.ts'
import { createChildLink } from './supervisor/child-link.ts'

const CONNECT_MS = 5_000
/** The longest that a timer takes: what ends the wait is the drain's own end. */
const UNTIL_OVER_MS = 2 ** 31 - 1

const link = createChildLink()
// What it throws ends the process, with the reason on standard error: see preload.ts.
link.onGo<ChildOrder>((order) => void run(order))
leaveLastWords()

async function run(order: ChildOrder): Promise<void> {
  const { config, name } = order
  const log = createLog(name, config.log.level)
  const layout = dataLayout(config.dataDir)
  const keys = createKeys(order.dataId)
  const place = order.redis
  const lease = holdLease(layout.leases)
  const drain = createDrain()
  const nudges = listenForNudges()
  const producer = openRedis(place, 'fast')
  const dispatcher = createDispatcher({ connection: producer, prefix: keys.bull, log })
  const viewers = createProducer({ redis: producer, keys, log })
  const deps: ProcessDeps = {
    store: createProjectStore(layout),
    registry: await loadPipelines(config.pipelinesDir),
    dispatcher,
    providersFor: (needs) => createProviders({ ...config, ...needs }),
    live: createLive(viewers),
    owner: { run: order.runId, worker: name, ...lease.owner },
    isHeld: (owner) => isLeaseHeld(layout.leases, owner),
    limits: { softS: config.softTimeLimitS, hardS: config.timeLimitS },
    resume: config.resume,
    log,
    clean: createRedactor(secretsOfOrder(order)).clean,
    drain,
    onNudge(projectId, listener) {
      nudges.on(projectId, listener)
      return () => nudges.off(projectId, listener)
    },
    solitude: createSolitude(),
  }
  const connection = openRedis(place, 'patient')
  const group = config.workers.find((g) => g.name === order.group)!
  const consumer = createConsumer({
    queues: group.queues,
    concurrency: config.concurrency,
    processes: group.processes,
    connection,
    reconnect: () => openRedis(place, 'patient'),
    prefix: keys.bull,
    log,
    process: (data, claim) => processJob(deps, data, claim),
    isDraining: () => drain.reason() !== null,
    onHeld: (jobs) => link.send({ type: 'held', jobs }),
    onStuck() {
      endDescendants() // also those that have left our process group
      process.exit(STUCK_EXIT)
    },
  })
  listenForRefresh(consumer, log)
  listenForShare(consumer)
  drain.onBegin(async (over) => {
    deps.solitude.close()
    await Promise.race([consumer.drain(UNTIL_OVER_MS), over])
    await within(deps.store.settle(), SETTLE_MS, undefined)
    await viewers.close()
    lease.release()
    await link.goodbye(0)
    process.exit(0)
  })
  await connect({ consumer, dispatcher, producer, config })
  link.beat(createBeat(consumer, connection))
  link.ready({ problems: deps.registry.problems })
  await consumer.start() // not before: a stage may end this process, which must not look as if it could not come up
}

function secretsOfOrder({ config, redis }: ChildOrder): (string | null)[] {
  return [...secretsOf(config), ...inheritedSecrets(environment()), ...secretsInAddress(redis.url)]
}

type Connections = { consumer: Consumer; dispatcher: Dispatcher; producer: Redis; config: Config }

/** An attached Redis may be away for long: then we are ready all the same, and work comes when it does. */
async function connect({ consumer, dispatcher, producer, config }: Connections): Promise<void> {
  const connected = consumer.ready()
  const isThere = await untilReady(producer, CONNECT_MS)
  if (!isThere) return
  await dispatcher.limit(config.concurrency).catch(() => {}) // the scheduler sets it again whenever Redis comes back
  await connected
}

/** Everything in it is counted or measured already: a beat costs next to nothing. */
function createBeat(consumer: Consumer, connection: Redis): () => WorkerBeat {
  const loop = createLoopMeter()
  const silence = watchAnswers(connection)
  return () => {
    const held = consumer.held()
    return {
      held: held.length,
      running: held.filter((job) => job.running).length,
      done: consumer.tally.done(),
      queues: consumer.tally.queues(),
      loop_delay_ms: loop.read(held.length > 0),
      last_redis_ok_s: silence(),
    }
  }
}

type Begin = (over: Promise<void>) => Promise<void>

/** The order to stop, the moments at which running steps are told to and are waited for no more, the impatient user. */
function createDrain(): Drain & { onBegin(callback: Begin): void } {
  const abort = new AbortController()
  const over = Promise.withResolvers<void>()
  let reason: DrainReason | null = null
  let begin: Begin | undefined
  const start = (order: DrainOrder) => {
    const isFirst = reason === null
    if (reason !== 'stop') reason = order.reason // a stop outranks: then nobody is left to hand the work to
    setTimeout(() => abort.abort(), order.abortInMs).unref() // of several orders the earliest counts
    setTimeout(over.resolve, order.abortInMs + order.giveBackMs).unref()
    if (isFirst) void begin?.(over.promise)
  }
  link.onDrain<DrainOrder>(start)
  const giveBackMs = stagesGiveBackMs(HURRY.giveBackMs)
  link.onHurry(() => start({ reason: reason ?? 'stop', abortInMs: 0, giveBackMs }))
  return {
    reason: () => reason,
    signal: abort.signal,
    onBegin(callback) {
      begin = callback
      if (reason !== null) void begin(Promise.resolve()) // nothing runs yet
    },
  }
}

/** Processes of our group have come or gone. */
function listenForShare(consumer: Consumer): void {
  process.on('message', (message: Partial<Share>) => {
    if (message.type === 'share' && message.processes !== undefined) consumer.share(message.processes)
  })
}

/** The supervisor has seen that this queue's jobs wait although we could take them. */
function listenForRefresh(consumer: Consumer, log: Log): void {
  process.on('message', (message: Partial<Refresh>) => {
    if (message.type !== 'refresh' || message.queue === undefined) return
    log.warn({ queue: message.queue }, 'fetching anew from a queue that was stuck')
    consumer.refresh(message.queue)
  })
}

/**
 * Whatever ends this process from within a job is put down to that job: process.exit, an error that nobody caught, and
 * a KILL of itself, which would else look as if it came from outside.
 */
function leaveLastWords(): void {
  const tell = () => {
    const taskId = presentTask()
    if (taskId !== null) link.send({ type: 'last_words', taskId } satisfies LastWords)
  }
  process.on('exit', tell)
  const { kill } = process
  process.kill = (pid, signal) => {
    if (isOwnKill(pid, signal)) tell()
    return kill.call(process, pid, signal)
  }
}

/** We lead our process group. */
function isOwnKill(pid: number, signal: string | number | undefined): boolean {
  return (signal === 'SIGKILL' || signal === constants.signals.SIGKILL) && [process.pid, -process.pid, 0].includes(pid)
}

function listenForNudges(): EventEmitter {
  const nudges = new EventEmitter().setMaxListeners(0)
  process.on('message', (message: Partial<Nudge>) => {
    if (message.type === 'nudge' && message.projectId) nudges.emit(message.projectId)
  })
  return nudges
}
