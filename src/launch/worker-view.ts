/** One worker process as the API shows it. */
import type { WorkerProcess } from '../api/schemas/workers.ts'
import type { WorkerGroup } from '../config/grammars.ts'
import type { HeldJob } from '../queue/job.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { hearBeat } from './beat.ts'

export type WorkerFacts = { groups: readonly WorkerGroup[]; held: (pid: number | null) => HeldJob[] }

export function viewWorker(child: ChildStatus, { groups, held }: WorkerFacts): WorkerProcess {
  const { name, group, slot, role, pid, phase, alive, ready, restarts, cpu_percent, rss_bytes, uptime_s } = child
  return {
    name,
    group,
    queues: [...(groups.find((one) => one.name === group)?.queues ?? [])],
    slot,
    role,
    pid,
    phase,
    alive,
    ready,
    cpu_percent,
    rss_bytes,
    uptime_s,
    restarts,
    last_exit: lastExitOf(child),
    jobs_done: jobsDone(child.beat),
    active: activeJobs(held(pid)),
    blocked: child.blocked,
    beat_age_s: child.beat_age_s,
  }
}

/** Held jobs that only wait for their turn in the process are left out. */
export function activeJobs(held: readonly HeldJob[]) {
  const running = held.filter((job) => job.running)
  return running.map(({ projectId, stage, since }) => ({ project_id: projectId, stage, since }))
}

/** Jobs that the present process has ended, in whatever way. */
export function jobsDone(beat: unknown): number {
  return Object.values(hearBeat(beat).done).reduce((sum, count) => sum + count, 0)
}

function lastExitOf({ last_exit: exit }: ChildStatus): WorkerProcess['last_exit'] {
  if (exit === null) return null
  const { reason, at, code, signal } = exit
  return { reason, at, code, signal }
}
