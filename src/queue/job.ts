/** A job is a wake-up: it says where to look, never what to do. Losing one costs only time. */
import { randomUUID } from 'node:crypto'
import type { QueueName } from '../settings.ts'

export type WakeUp = {
  projectId: string
  /** Whose project it is; the worker holds it against the folder's. */
  owner: string
  stage: string
  /** Also the job's id in the queue, so that one task never waits there twice. */
  taskId: string
  queue: QueueName
  /** Not before this moment (milliseconds since 1970); 0 = now. */
  dueMs: number
}

export type JobData = Pick<WakeUp, 'projectId' | 'owner' | 'stage' | 'taskId'>

/**
 * A job that a worker holds; the token is what takes it back when the worker is dead. It is not `running`
 * before its stage is claimed, and may have to wait until nothing else runs beside it. `limit` is null while no code
 * of the stage runs.
 */
export type HeldJob = JobData & {
  queue: QueueName
  token: string
  since: string
  running: boolean
  limit: HardLimit | null
}

/** A stage's hard limit, and when it is reached, on the clock of lib/machine-clock.ts. */
type HardLimit = { seconds: number; atMs: number }

/** BullMQ's id of a worker of this process. The tokens of its locks begin with it, so that a dead process's can be told. */
export function holderId(): string {
  return `${process.pid}.${randomUUID()}`
}

export function isTokenOf(pid: number, token: string): boolean {
  return token.startsWith(`${pid}.`)
}

/** Exit code of a worker that ends because a stage, failed already, did not return. */
export const STUCK_EXIT = 75
