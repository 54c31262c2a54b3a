/** One queue's BullMQ worker. A stuck one is replaced by a new one on a new connection while its jobs go on. */
import { type Job, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { LOCK_DURATION_S, type QueueName } from '../settings.ts'
import { holderId, type JobData } from './job.ts'

export type IntakeOptions = {
  queue: QueueName
  concurrency: number
  prefix: string
  /** The connection to begin with, which belongs to the caller; a replacement opens its own by `reconnect`. */
  connection: Redis
  reconnect: () => Redis
  log: Log
  /** `isRetired`: this job came in after its worker had been replaced. */
  perform: (job: Job<JobData>, token: string, isRetired: boolean) => Promise<void>
}

export type Intake = {
  readonly queue: QueueName
  ready(): Promise<unknown>
  run(): void
  /** Takes nothing new; resolves when what runs has ended. */
  close(): Promise<void>
  /** How many jobs it may hold from now on; those that it holds already stay. */
  resize(concurrency: number): void
  /** Only what the present BullMQ worker has taken goes on in it; everything else comes in by a new one. */
  refresh(): void
}

/** A lost lock never ends a stage (its claim does), so stalls may be as many as they like. */
const WORKER_OPTIONS = {
  autorun: false,
  lockDuration: LOCK_DURATION_S * 1_000,
  stalledInterval: 5_000,
  maxStalledCount: 1_000_000,
  runRetryDelay: 250,
  drainDelay: 5,
  skipVersionCheck: true,
} as const

/** BullMQ tells Redis of a job's end after our part in it; a forced close would come in between. */
const LAST_WORDS_MS = 1_000

type Source = { worker: Worker; running: number; isRetired: boolean; end: () => void }

export function createIntake(options: IntakeOptions): Intake {
  const { queue, log } = options
  let { concurrency } = options
  let current = openSource(options.connection, () => {})
  const retired = new Set<Source>()

  function openSource(connection: Redis, disconnect: () => void): Source {
    const settings = { ...WORKER_OPTIONS, connection, prefix: options.prefix, concurrency }
    const worker = new Worker<JobData>(queue, (job, token) => perform(source, job, token!), settings)
    Object.assign(worker, { id: holderId() })
    worker.on('error', (error) => log.debug({ queue, error: messageOf(error) }, 'queue reported an error'))
    const source: Source = { worker, running: 0, isRetired: false, end }
    return source

    /** By force: its fetch may hang for ever, and it has no jobs any more. */
    function end(): void {
      retired.delete(source)
      void worker.close(true).then(disconnect, disconnect)
    }
  }

  async function perform(source: Source, job: Job<JobData>, token: string): Promise<void> {
    source.running++
    try {
      await options.perform(job, token, source.isRetired)
    } finally {
      source.running--
      if (source.isRetired) endWhenIdle(source)
    }
  }

  function endWhenIdle(source: Source): void {
    const look = () => void (source.running === 0 && retired.has(source) && source.end())
    setTimeout(look, LAST_WORDS_MS).unref()
  }

  function run({ worker }: Source): void {
    worker.run().catch((error) => log.error({ queue, error: messageOf(error) }, 'a queue stopped'))
  }

  return {
    queue,
    ready: () => current.worker.waitUntilReady(),
    run: () => run(current),
    async close() {
      await Promise.all([current, ...retired].map(({ worker }) => worker.close()))
    },
    resize(to) {
      concurrency = to
      current.worker.concurrency = to
    },
    refresh() {
      const old = current
      const connection = options.reconnect()
      current = openSource(connection, () => connection.disconnect())
      run(current)
      old.isRetired = true
      retired.add(old)
      void old.worker.pause(true).catch(() => {}) // it takes nothing more, and goes on renewing the locks of its jobs
      endWhenIdle(old)
    },
  }
}
