/** Which jobs each process holds, as it said last. By pid: names change hands while a process is replaced. */
import type { HeldJob } from '../queue/job.ts'

/** Worker → supervisor: whenever a job is taken, begins to run, or ends. */
type HeldMessage = { type: 'held'; jobs: HeldJob[] }

/** Worker → supervisor: it ends itself, in the code of this task. */
export type LastWords = { type: 'last_words'; taskId: string }

export type HeldJobs = {
  /** Takes the two messages above; ignores any other. */
  note(sender: { pid: number }, message: unknown): void
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
      const heard = message as Partial<HeldMessage> | Partial<LastWords>
      if (heard.type === 'held' && heard.jobs) held.set(pid, heard.jobs)
      if (heard.type === 'last_words' && heard.taskId) lastTasks.set(pid, heard.taskId)
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
