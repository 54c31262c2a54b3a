/** What the supervisor tells its workers and the scheduler, and what a worker's beats tell it. */
import type { Config } from '../config.ts'
import type { Done, QueueTally } from '../queue/tally.ts'
import type { QueueName } from '../settings.ts'

export type ChildOrder = {
  config: Config
  runId: string
  dataId: string
  redis: { url: string; mode: 'spawned' | 'attached' }
  /** The group of a worker; the scheduler has none. */
  group: string | null
  name: string
}

/** `recycle`: only this process ends, so its work goes on elsewhere; `stop`: everything ends. */
export type DrainOrder = {
  reason: 'stop' | 'recycle'
  /** Then running steps are told to end. */
  abortInMs: number
  /** And have so long, before the process ends with them; it is killed somewhat later. */
  giveBackMs: number
}

/** Supervisor → child: look at this project's journal now. */
export type Nudge = { type: 'nudge'; projectId: string }

/** Supervisor → worker: so many processes serve its group now, as many as the settings say until it hears this. */
export type Share = { type: 'share'; processes: number }

/** Supervisor → worker: fetch from this queue anew, by a new connection. */
export type Refresh = { type: 'refresh'; queue: QueueName }

/** Worker → supervisor, once a second; counts begin with the process. */
export type WorkerBeat = {
  /** Jobs taken from the queues, and how many of them run; the others wait for their turn. */
  held: number
  running: number
  done: Done
  queues: Partial<Record<QueueName, QueueTally>>
  /** 99th percentile of the last second; measured only while there are jobs. */
  loop_delay_ms: number
  /** For how long nothing has come from Redis; up to 5 s are normal in an idle worker. */
  last_redis_ok_s: number
}
