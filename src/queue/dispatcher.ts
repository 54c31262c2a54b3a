/** The producer's side of the queues: add, take back, look. Fails fast when Redis is away. */
import type { Queue } from 'bullmq'
import type { ChainableCommander, Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { QUEUE_NAMES, type QueueName } from '../settings.ts'
import { type Backlog, readBacklog } from './backlog.ts'
import { type HeldJob, isTokenOf, type JobData, type WakeUp } from './job.ts'

export type QueueCounts = { waiting: number; active: number; failed: number }

export type Dispatcher = {
  /** False when Redis could not be reached: the folder is the truth, and the reconciler adds them later. */
  enqueue(wakeUps: WakeUp[]): Promise<boolean>
  /** Removes a job that has not begun; one that has looks at the journal by itself. */
  withdraw(wakeUp: Pick<WakeUp, 'queue' | 'taskId'>): Promise<void>
  /** Puts a dead worker's job back at once. False when it is not there any more. */
  takeBack(job: Pick<HeldJob, 'queue' | 'taskId' | 'token'>): Promise<boolean>
  /** Puts back what a dead process had in these queues, also what it had no time to speak of; gives their number. */
  takeBackFrom(queues: readonly QueueName[], pid: number): Promise<number>
  /** Lets a job begin now that waits for its time. */
  promote(wakeUp: Pick<WakeUp, 'queue' | 'taskId'>): Promise<void>
  /** Those of `wakeUps` that no job stands for. Throws when Redis is away. */
  missing(wakeUps: WakeUp[]): Promise<WakeUp[]>
  /** Sets the total over all processes. */
  limit(concurrency: Readonly<Record<QueueName, number>>): Promise<void>
  /** Sets it where there is none: an emptied Redis has forgotten it. */
  keepLimit(concurrency: Readonly<Record<QueueName, number>>): Promise<void>
  counts(): Promise<Record<QueueName, QueueCounts>>
  /** What could be begun now. Throws when Redis is away. */
  backlog(): Promise<Record<QueueName, Backlog>>
  close(): Promise<void>
}

export type DispatcherOptions = { connection: Redis; prefix: string; log: Log }

const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const

export function createDispatcher({ connection, prefix, log }: DispatcherOptions): Dispatcher {
  const queues = createQueues({ connection, prefix, log })
  let isPrepared = false

  async function add(name: QueueName, wakeUps: WakeUp[]): Promise<void> {
    const queue = await queues.of(name)
    await queue.addBulk(
      wakeUps.map(({ projectId, owner, stage, taskId, dueMs }) => ({
        name: stage,
        data: { projectId, owner, stage, taskId } satisfies JobData,
        opts: { ...JOB_OPTIONS, jobId: taskId, delay: Math.max(0, dueMs - Date.now()) },
      })),
    )
    if (isPrepared) return
    isPrepared = true
    // Redis learns the script now, and not when somebody has died and others wait for his jobs.
    void moveBack(queue, { taskId: 'none', token: 'none' }).catch(() => {})
  }

  async function takeBack({ queue, ...job }: Parameters<Dispatcher['takeBack']>[0]): Promise<boolean> {
    return moveBack(await queues.of(queue), job)
  }

  return {
    takeBack,
    async takeBackFrom(names, pid) {
      const active = (await Promise.all(names.map((name) => findActive(connection, prefix, name)))).flat()
      const lost = active.filter(({ token }) => isTokenOf(pid, token))
      const back = lost.map((job) => takeBack(job).catch(() => false)) // somebody else was faster
      return (await Promise.all(back)).filter(Boolean).length
    },
    async enqueue(wakeUps) {
      try {
        await Promise.all(Object.entries(byQueue(wakeUps)).map(([name, some]) => add(name as QueueName, some)))
        return true
      } catch (error) {
        log.debug({ error: messageOf(error) }, 'enqueue failed; the reconciler will do it')
        return false
      }
    },
    async withdraw({ queue, taskId }) {
      try {
        await (await queues.of(queue)).remove(taskId)
      } catch (error) {
        log.debug({ error: messageOf(error) }, 'withdraw failed; the worker will find nothing to do')
      }
    },
    async promote({ queue, taskId }) {
      const job = await (await queues.of(queue)).getJob(taskId)
      await job?.promote().catch(() => {}) // it does not wait any more
    },
    missing: (wakeUps) => findMissing(connection, prefix, wakeUps),
    async limit(concurrency) {
      const pipe = connection.pipeline()
      for (const name of QUEUE_NAMES) pipe.hset(metaKey(prefix, name), 'concurrency', concurrency[name])
      await answersOf(pipe)
    },
    async keepLimit(concurrency) {
      const pipe = connection.pipeline()
      for (const name of QUEUE_NAMES) pipe.hsetnx(metaKey(prefix, name), 'concurrency', concurrency[name])
      await answersOf(pipe)
    },
    counts: () => readCounts(connection, prefix),
    backlog: () => readBacklog(connection, prefix, Date.now()),
    close: () => queues.close(),
  }
}

/** What BullMQ's script says of a job that is not there. */
const JOB_NOT_THERE = -1

/** From active to waiting, by the script alone: the job itself need not be read for it. */
async function moveBack(queue: Queue, { taskId, token }: { taskId: string; token: string }): Promise<boolean> {
  const { Job } = await import('bullmq')
  try {
    await new Job(queue, '', {}, {}, taskId).moveToWait(token)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === JOB_NOT_THERE) return false
    throw error
  }
}

/** BullMQ's code is heavy and not needed before the first job: neither by the API at boot nor by an idle scheduler. */
function createQueues({ connection, prefix, log }: DispatcherOptions) {
  const queues = new Map<QueueName, Promise<Queue>>()

  async function open(name: QueueName): Promise<Queue> {
    const { Queue } = await import('bullmq')
    const options = { connection, prefix, skipWaitingForReady: true, skipVersionCheck: true, skipMetasUpdate: true }
    const queue = new Queue(name, options)
    queue.on('error', (error) => log.debug({ queue: name, error: messageOf(error) }, 'queue connection failed'))
    return queue
  }

  return {
    of(name: QueueName): Promise<Queue> {
      const queue = queues.get(name) ?? open(name)
      queues.set(name, queue)
      return queue
    },
    async close(): Promise<void> {
      await Promise.all([...queues.values()].map(async (queue) => (await queue).close()))
    },
  }
}

/** BullMQ's own key, whose field `concurrency` is what its setGlobalConcurrency sets. */
function metaKey(prefix: string, queue: QueueName): string {
  return `${prefix}:${queue}:meta`
}

/** Active jobs with the tokens of their locks. */
async function findActive(connection: Redis, prefix: string, queue: QueueName) {
  const ids = await connection.lrange(`${prefix}:${queue}:active`, 0, -1)
  const tokens = ids.length > 0 ? await connection.mget(ids.map((id) => `${prefix}:${queue}:${id}:lock`)) : []
  return ids.flatMap((taskId, i) => {
    const token = tokens[i]
    return token ? [{ queue, taskId, token }] : []
  })
}

async function findMissing(connection: Redis, prefix: string, wakeUps: WakeUp[]): Promise<WakeUp[]> {
  const pipe = connection.pipeline()
  for (const { queue, taskId } of wakeUps) pipe.exists(`${prefix}:${queue}:${taskId}`)
  const counts = await answersOf(pipe)
  return wakeUps.filter((_, i) => counts[i] === 0)
}

/** BullMQ's own keys, all queues in one round trip: `/status` asks for them every second. */
async function readCounts(connection: Redis, prefix: string): Promise<Record<QueueName, QueueCounts>> {
  const pipe = connection.pipeline()
  for (const name of QUEUE_NAMES) {
    const key = (part: string) => `${prefix}:${name}:${part}`
    pipe.llen(key('wait')).zcard(key('prioritized')).zcard(key('delayed')).llen(key('active')).zcard(key('failed'))
  }
  const numbers = await answersOf(pipe)
  const rows = QUEUE_NAMES.map((name, i) => {
    const [wait = 0, prioritized = 0, delayed = 0, active = 0, failed = 0] = numbers.slice(i * 5, i * 5 + 5)
    return [name, { waiting: wait + prioritized + delayed, active, failed }] as const
  })
  return Object.fromEntries(rows) as Record<QueueName, QueueCounts>
}

/** The answers of a pipeline of counts; throws the first error. */
async function answersOf(pipe: ChainableCommander): Promise<number[]> {
  const answers = (await pipe.exec()) ?? []
  return answers.map(([error, value]) => {
    if (error) throw error
    return Number(value)
  })
}

function byQueue(wakeUps: WakeUp[]): Partial<Record<QueueName, WakeUp[]>> {
  return Object.groupBy(wakeUps, (w) => w.queue)
}
