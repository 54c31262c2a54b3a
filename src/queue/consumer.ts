/** The worker's side of the queues: BullMQ hands out jobs, processJob does them, the journal decides. */
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { within } from '../lib/until.ts'
import { LOCK_DURATION_S, type QueueName } from '../settings.ts'
import type { HeldJob, JobData } from './job.ts'
import type { JobClaim, Verdict } from './process-job.ts'

export type ConsumerOptions = {
  queues: readonly QueueName[]
  concurrency: Readonly<Record<QueueName, number>>
  /** Waits for Redis instead of failing; each queue makes its own blocking copy of it. */
  connection: Redis
  prefix: string
  log: Log
  process: (data: JobData, claim: JobClaim) => Promise<Verdict>
  isDraining: () => boolean
  /** Called whenever a job is taken, begins to run, or ends. */
  onHeld: (jobs: HeldJob[]) => void
  /** A stage did not return: this process has to end. */
  onStuck: () => void
}

export type Consumer = {
  start(): Promise<void>
  held(): HeldJob[]
  /** Takes nothing new; resolves when what runs has ended, or at the deadline. */
  drain(timeoutMs: number): Promise<void>
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

export function createConsumer(options: ConsumerOptions): Consumer {
  const held = new Map<string, HeldJob>()
  const workers = options.queues.map((queue) => createWorker(queue))

  function createWorker(queue: QueueName): Worker {
    const { connection, prefix, concurrency, log } = options
    const settings = { ...WORKER_OPTIONS, connection, prefix, concurrency: concurrency[queue] }
    const worker = new Worker<JobData>(queue, (job, token) => perform(queue, job, token!), settings)
    worker.on('error', (error) => log.debug({ queue, error: messageOf(error) }, 'queue reported an error'))
    return worker
  }

  async function perform(queue: QueueName, job: Job<JobData>, token: string): Promise<void> {
    if (options.isDraining()) return giveBack(job, token)
    hold(queue, job, token)
    try {
      const verdict = await options.process(job.data, { token, onRunning: () => markRunning(job.id!) })
      if (verdict.kind === 'back') return await giveBack(job, token)
      if (verdict.kind === 'delay') return await bringBack(job, token, verdict.dueMs)
      if (verdict.kind === 'stuck') options.onStuck()
    } catch (error) {
      if (!(error instanceof DelayedError || error instanceof WaitingError))
        options.log.error({ queue, ...job.data, error: messageOf(error) }, 'a job failed outside its stage')
      throw error
    } finally {
      held.delete(job.id!)
      options.onHeld([...held.values()])
    }
  }

  function hold(queue: QueueName, job: Job<JobData>, token: string): void {
    held.set(job.id!, { ...job.data, queue, token, since: new Date().toISOString(), running: false })
    options.onHeld([...held.values()])
  }

  function markRunning(id: string): void {
    held.set(id, { ...held.get(id)!, running: true, since: new Date().toISOString() })
    options.onHeld([...held.values()])
  }

  return {
    async start() {
      await Promise.all(workers.map((worker) => worker.waitUntilReady()))
      for (const worker of workers) {
        worker.run().catch((error) => options.log.error({ error: messageOf(error) }, 'a queue stopped'))
      }
    },
    held: () => [...held.values()],
    async drain(timeoutMs) {
      await within(
        Promise.all(workers.map((worker) => worker.close())).catch(() => {}),
        timeoutMs,
        undefined,
      )
    },
  }
}

async function giveBack(job: Job, token: string): Promise<void> {
  await job.moveToWait(token)
  throw new WaitingError()
}

async function bringBack(job: Job, token: string, dueMs: number): Promise<void> {
  await job.moveToDelayed(dueMs, token)
  throw new DelayedError()
}
