/** Which jobs each process holds, as it said last. By pid: names change hands while a process is replaced. */
import type { HeldJob } from '../queue/job.ts'
import { isQueueName } from '../settings.ts'
import type { ChildMessage } from '../supervisor/messages.ts'

/** Worker → supervisor: whenever a job is taken, begins to run, or ends. */
type HeldMessage = { type: 'held'; jobs: HeldJob[] }

/** Worker → supervisor: it ends itself, in the code of this task. */
export type LastWords = { type: 'last_words'; taskId: string }

export type HeldJobs = {
  /** Takes the two messages above; ignores any other, also one that only looks like them: stages can send as well. */
  note(sender: { pid: number }, message: ChildMessage): void
  of(pid: number | null): HeldJob[]
  all(): HeldJob[]
  /** What a dead process held, and the task that it named at its end; forgets both. */
  bury(pid: number): { jobs: HeldJob[]; lastTask: string | null }
}

export function createHeldJobs(): HeldJobs {
  const held = new Map<number, HeldJob[]>()
  const lastTasks = new Map<number, string>()
  return {
    note({ pid }, message) {
      if (isHeldMessage(message)) held.set(pid, message.jobs)
      if (isLastWords(message)) lastTasks.set(pid, message.taskId)
    },
    of: (pid) => (pid === null ? [] : (held.get(pid) ?? [])),
    all: () => [...held.values()].flat(),
    bury(pid) {
      const found = { jobs: held.get(pid) ?? [], lastTask: lastTasks.get(pid) ?? null }
      held.delete(pid)
      lastTasks.delete(pid)
      return found
    },
  }
}

function isHeldMessage(message: ChildMessage): message is HeldMessage {
  return message.type === 'held' && Array.isArray(message.jobs) && message.jobs.every(isHeldJob)
}

function isLastWords(message: ChildMessage): message is LastWords {
  return message.type === 'last_words' && typeof message.taskId === 'string' && message.taskId !== ''
}

const TEXTS = ['projectId', 'owner', 'stage', 'taskId', 'queue', 'token', 'since'] as const satisfies (keyof HeldJob)[]

function isHeldJob(job: Partial<Record<keyof HeldJob, unknown>> | null): boolean {
  if (typeof job !== 'object' || job === null) return false
  const hasTexts = TEXTS.every((key) => typeof job[key] === 'string')
  return hasTexts && isQueueName(String(job.queue)) && typeof job.running === 'boolean' && isLimit(job.limit)
}

function isLimit(limit: unknown): boolean {
  if (limit === null) return true
  const { seconds, atMs } = Object(limit) as Partial<Record<keyof NonNullable<HeldJob['limit']>, unknown>>
  return typeof seconds === 'number' && typeof atMs === 'number'
}
