/** What the supervisor's `go` and `drain` messages tell a worker or the scheduler. */
import type { Config } from '../config.ts'

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
export type DrainOrder = { reason: 'stop' | 'recycle'; abortInMs: number }

/** Supervisor → child: look at this project's journal now. */
export type Nudge = { type: 'nudge'; projectId: string }
