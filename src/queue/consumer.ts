/** The worker's side of the queues: BullMQ hands out jobs, processJob does them, the journal decides. */
import { DelayedError, type Job, WaitingError } from 'bullmq'
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { within } from '../lib/until.ts'
import type { QueueName } from '../settings.ts'
import { createHoldings, type Holding } from './holdings.ts'
import { createIntake } from './intake.ts'
import type { HeldJob, JobData } from './job.ts'
import type { JobClaim, Verdict } from './process-job.ts'
import { shareOf } from './share.ts'
import { createTally, type Tally } from './tally.ts'

export type ConsumerOptions = {
  queues: readonly QueueName[]
  /** The totals over all processes. */
  concurrency: Readonly<Record<QueueName, number>>
  /** How many processes share them, until `share` says otherwise. */
  processes: number
  /** Waits for Redis instead of failing; each queue makes its own blocking copy of it. */
  connection: Redis
  /** A new one like it, for a queue whose consumer is stuck. */
  reconnect: () => Redis
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
  /** Resolves when Redis has answered on every connection. */
  ready(): Promise<void>
  /** Takes jobs from then on. */
  start(): Promise<void>
  held(): HeldJob[]
  tally: Pick<Tally, 'done' | 'queues'>
  share(processes: number): void
  /** Fetches from this queue anew, by a new connection; what runs goes on. */
  refresh(queue: QueueName): void
  /** Takes nothing new; resolves when what runs has ended, or at the deadline. */
  drain(timeoutMs: number): Promise<void>
}

/** A stuck fetch never closes: a process that holds nothing for so long has nothing to wait for. */
const IDLE_MS = 500

export function createConsumer(options: ConsumerOptions): Consumer {
  const { log } = options
  const holdings = createHoldings(options.onHeld)
  const tally = createTally(options.queues)
  let lastEndMs = 0
  let mostProcesses = options.processes
  const intakes = options.queues.map((queue) =>
    createIntake({
      ...options,
      queue,
      concurrency: shareOf(options.concurrency[queue], options.processes),
      perform: (job, token, isRetired) => perform(queue, job, { token, isRetired }),
    }),
  )

  async function perform(queue: QueueName, job: Job<JobData>, { token, isRetired }: Fetched): Promise<void> {
    if (isRetired || options.isDraining()) return giveBack(job, token)
    tally.started(queue)
    const held: HeldJob = { ...job.data, queue, token, since: new Date().toISOString(), running: false, limit: null }
    const holding = holdings.hold(held, (marks) =>
      counted(tally, queue, () => options.process(job.data, { token, ...marks, hasPeers: mostProcesses > 1 })),
    )
    try {
      await answer(job, holding, token)
    } catch (error) {
      if (!(error instanceof DelayedError || error instanceof WaitingError))
        log.error({ queue, ...job.data, error: messageOf(error) }, 'a job failed outside its stage')
      throw error
    } finally {
      lastEndMs = performance.now()
      holdings.leave(holding, token)
    }
  }

  async function answer(job: Job, holding: Holding, token: string): Promise<void> {
    await Promise.allSettled([holding.verdict])
    // Its lock was lost and it was fetched again: that fetch, which waited for the same, has the token that counts.
    if (holding.job.token !== token) throw new WaitingError()
    const verdict = await holding.verdict
    if (verdict.kind === 'back') return giveBack(job, token)
    if (verdict.kind === 'delay') return bringBack(job, token, verdict.dueMs)
    if (verdict.kind === 'stuck') options.onStuck()
  }

  const ready = async () => void (await Promise.all(intakes.map((intake) => intake.ready())))
  const isIdle = () => holdings.all().length === 0 && performance.now() - lastEndMs > IDLE_MS

  return {
    ready,
    async start() {
      await ready()
      if (!options.isDraining()) for (const intake of intakes) intake.run()
    },
    held: holdings.all,
    tally,
    share(processes) {
      mostProcesses = Math.max(mostProcesses, processes) // fewer are told of while one of them is being restarted
      for (const intake of intakes) intake.resize(shareOf(options.concurrency[intake.queue], processes))
    },
    refresh(queue) {
      if (!options.isDraining()) intakes.find((intake) => intake.queue === queue)?.refresh()
    },
    async drain(timeoutMs) {
      lastEndMs = performance.now()
      const closed = Promise.all(intakes.map((intake) => intake.close())).catch(() => {}) // its connection may be gone
      const timer = Promise.withResolvers<void>()
      const looking = setInterval(() => isIdle() && timer.resolve(), IDLE_MS / 5)
      await within(Promise.race([closed, timer.promise]), timeoutMs, undefined)
      clearInterval(looking)
    },
  }
}

/** Once for each run of a job, however often it was fetched. */
async function counted(tally: Tally, queue: QueueName, run: () => Promise<Verdict>): Promise<Verdict> {
  const startedMs = performance.now()
  let outcome: Verdict['outcome']
  try {
    const verdict = await run()
    outcome = verdict.outcome
    return verdict
  } finally {
    tally.ended(queue, { outcome, ms: performance.now() - startedMs })
  }
}

type Fetched = { token: string; isRetired: boolean }

/** In front of all that wait: what was begun goes first. */
async function giveBack(job: Job, token: string): Promise<void> {
  await job.moveToWait(token)
  throw new WaitingError()
}

async function bringBack(job: Job, token: string, dueMs: number): Promise<void> {
  await job.moveToDelayed(dueMs, token)
  throw new DelayedError()
}
