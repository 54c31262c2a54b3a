/** The producer's side of the queues: add, take back, look. Fails fast when Redis is away. */
import { Job, Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { QUEUE_NAMES, type QueueName } from '../settings.ts'
import type { HeldJob, JobData, WakeUp } from './job.ts'

export type QueueCounts = { waiting: number; active: number; failed: number }

export type Dispatcher = {
  /** False when Redis could not be reached: the folder is the truth, and the reconciler adds them later. */
  enqueue(wakeUps: WakeUp[]): Promise<boolean>
  /** Removes a job that has not begun; one that has looks at the journal by itself. */
  withdraw(wakeUp: Pick<WakeUp, 'queue' | 'taskId'>): Promise<void>
  /** Puts a dead worker's job back at once. False when it is not there any more. */
  takeBack(job: Pick<HeldJob, 'queue' | 'taskId' | 'token'>): Promise<boolean>
  /** Those of `wakeUps` that no job stands for. Throws when Redis is away. */
  missing(wakeUps: WakeUp[]): Promise<WakeUp[]>
  /** Sets the total over all processes; an emptied Redis has forgotten it. */
  limit(concurrency: Readonly<Record<QueueName, number>>): Promise<void>
  counts(): Promise<Record<QueueName, QueueCounts>>
  close(): Promise<void>
}

export type DispatcherOptions = { connection: Redis; prefix: string; log: Log }

const JOB_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const

export function createDispatcher({ connection, prefix, log }: DispatcherOptions): Dispatcher {
  const queues = new Map<QueueName, Queue>()

  function queueOf(name: QueueName): Queue {
    let queue = queues.get(name)
    if (!queue) {
      queue = new Queue(name, {
        connection,
        prefix,
        skipWaitingForReady: true,
        skipVersionCheck: true,
        skipMetasUpdate: true,
      })
      queue.on('error', (error) => log.debug({ queue: name, error: messageOf(error) }, 'queue connection failed'))
      queues.set(name, queue)
    }
    return queue
  }

  async function add(name: QueueName, wakeUps: WakeUp[]): Promise<void> {
    await queueOf(name).addBulk(
      wakeUps.map(({ projectId, stage, taskId, dueMs }) => ({
        name: stage,
        data: { projectId, stage, taskId } satisfies JobData,
        opts: { ...JOB_OPTIONS, jobId: taskId, delay: Math.max(0, dueMs - Date.now()) },
      })),
    )
  }

  return {
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
      await queueOf(queue)
        .remove(taskId)
        .catch((error) => log.debug({ error: messageOf(error) }, 'withdraw failed; the worker will find nothing to do'))
    },
    async takeBack({ queue, taskId, token }) {
      const job = await Job.fromId(queueOf(queue), taskId)
      if (!job) return false
      await job.moveToWait(token)
      return true
    },
    async missing(wakeUps) {
      const pipe = connection.pipeline()
      for (const { queue, taskId } of wakeUps) pipe.exists(`${prefix}:${queue}:${taskId}`)
      const answers = (await pipe.exec()) ?? []
      return wakeUps.filter((_, i) => {
        const [error, count] = answers[i] ?? []
        if (error) throw error
        return count === 0
      })
    },
    async limit(concurrency) {
      await Promise.all(QUEUE_NAMES.map((name) => queueOf(name).setGlobalConcurrency(concurrency[name])))
    },
    async counts() {
      const rows = await Promise.all(QUEUE_NAMES.map(async (name) => [name, await countsOf(queueOf(name))] as const))
      return Object.fromEntries(rows) as Record<QueueName, QueueCounts>
    },
    async close() {
      await Promise.all([...queues.values()].map((q) => q.close()))
    },
  }
}

async function countsOf(queue: Queue): Promise<QueueCounts> {
  const { waiting = 0, prioritized = 0, delayed = 0, active = 0, failed = 0 } = await queue.getJobCounts()
  return { waiting: waiting + prioritized + delayed, active, failed }
}

function byQueue(wakeUps: WakeUp[]): Partial<Record<QueueName, WakeUp[]>> {
  return Object.groupBy(wakeUps, (w) => w.queue)
}
