/** Which stages are past their hard limit in a process that should have ended by itself for it: pure. */
import { STUCK_AFTER_MS } from '../pipelines/guards.ts'
import type { HeldJob } from '../queue/job.ts'
import type { StackTop } from '../supervisor/facts.ts'
import { describeTop } from '../supervisor/stack.ts'

/** A job and the process that holds it. */
export type Holding = { pid: number; job: HeldJob }

/** What one look leaves for the next: when it was, and before when nobody is judged. */
export type OverdueLook = { atMs: number; notBeforeMs: number }

/** The worker itself is first, unless it cannot. */
const SLACK_MS = 2_000
/** A look so late means that we did not run, and so could hear nobody. */
const LATE_MS = 2_000

/** Times are those of lib/machine-clock.ts. After a pause of ours everybody has as long again as a stage that is told to end. */
export function findOverdue(
  before: OverdueLook | null,
  holdings: readonly Holding[],
  nowMs: number,
): { look: OverdueLook; overdue: Holding[] } {
  const hasSlept = before !== null && nowMs - before.atMs > LATE_MS
  const notBeforeMs = hasSlept ? nowMs + STUCK_AFTER_MS + SLACK_MS : (before?.notBeforeMs ?? 0)
  const isOverdue = ({ job }: Holding) => job.limit !== null && nowMs > job.limit.atMs + STUCK_AFTER_MS + SLACK_MS
  return { look: { atMs: nowMs, notBeforeMs }, overdue: nowMs < notBeforeMs ? [] : holdings.filter(isOverdue) }
}

export type OverdueVerdict = {
  /** Why the process is killed; queue/blame.ts knows these words. */
  reason: string
  /** The stages that fail for it, with what is said of them. */
  failed: { job: HeldJob; message: string }[]
}

/** `jobs`: what is overdue in one process. A loop that another job blocks is that job's fault, and not theirs. */
export function judgeOverdue(jobs: readonly [HeldJob, ...HeldJob[]], where: StackTop | null): OverdueVerdict {
  const [first] = jobs
  const place = where ? `; it was in ${describeTop(where)}` : ''
  const scope = where?.scope ?? null
  if (scope !== null && !jobs.some(({ taskId }) => taskId === scope))
    return {
      reason: `could not end ${nameOf(first)} at its time limit, because something else blocks it${place}`,
      failed: [],
    }
  const guilty = jobs.find(({ taskId }) => taskId === scope)
  const failed = jobs.map((job) => {
    const isThere = job === guilty || jobs.length === 1
    return { job, message: `${job.stage} ${wordsOf(job)}${isThere ? place : ''}` }
  })
  const named = guilty ?? first
  return { reason: `held ${nameOf(named)}, which ${wordsOf(named)}${place}`, failed }
}

function nameOf({ stage, projectId }: HeldJob): string {
  return `${stage} of ${projectId}`
}

function wordsOf({ limit }: HeldJob): string {
  return `was still running ${STUCK_AFTER_MS / 1_000} s after its time limit of ${limit?.seconds} s`
}
