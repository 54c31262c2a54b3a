/** Ends the processes in which a stage is past its hard limit and that cannot do it themselves: their loop is blocked. */
import { machineMs } from '../lib/machine-clock.ts'
import { findStage } from '../project/folded.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import type { HeldJobs } from './held-jobs.ts'
import { findOverdue, type Holding, judgeOverdue, type OverdueLook } from './overdue.ts'
import type { Phase } from './phase.ts'
import type { Service } from './service.ts'

export type OverdueParts = {
  held: Pick<HeldJobs, 'of'>
  supervisor: Pick<Supervisor, 'status' | 'locate' | 'condemn'>
  service: Pick<Service, 'store' | 'announce' | 'noteFailure'>
  phase: () => Phase
}

const EVERY_MS = 1_000

/** Runs until the program stops. */
export function startOverdueWatch(parts: OverdueParts): void {
  const { held, supervisor, phase } = parts
  const inHand = new Set<number>()
  let last: OverdueLook | null = null

  function look(): void {
    const pids = supervisor.status().flatMap(({ pid }) => (pid === null ? [] : [pid]))
    const holdings = pids.flatMap((pid) => held.of(pid).map((job): Holding => ({ pid, job })))
    const found = findOverdue(last, holdings, machineMs())
    last = found.look
    for (const pid of new Set(found.overdue.map((one) => one.pid))) void handle(pid)
  }

  async function handle(pid: number): Promise<void> {
    if (inHand.has(pid)) return
    inHand.add(pid)
    try {
      await endOverdue(parts, pid)
    } finally {
      inHand.delete(pid)
    }
  }

  const timer = setInterval(() => {
    if (phase() === 'stopping')
      clearInterval(timer) // a stop has deadlines of its own
    else look()
  }, EVERY_MS).unref()
}

/** The records come first, as they do when a worker ends itself for such a stage. */
async function endOverdue(parts: OverdueParts, pid: number): Promise<void> {
  const { supervisor, held } = parts
  const where = await supervisor.locate(pid)
  // It may have come free while it was asked.
  const holdings = held.of(pid).map((job): Holding => ({ pid, job }))
  const [first, ...others] = findOverdue(null, holdings, machineMs()).overdue.map(({ job }) => job)
  if (!first) return
  const { reason, failed } = judgeOverdue([first, ...others], where)
  // What cannot be written (a full disk) is left unsaid: then the stage runs again.
  await Promise.all(failed.map(({ job, message }) => fail(parts, { pid, job }, message).catch(() => {})))
  supervisor.condemn(pid, { reason, where })
}

/** In the name of the claim that stands, unless it has been revoked or taken over: then somebody else has said how it ended. */
async function fail({ service }: OverdueParts, { pid, job }: Holding, message: string): Promise<void> {
  const { stage } = job
  const project = await service.store.open(job.projectId)
  const folded = project.read()
  const { fence, owner } = folded.internals[stage] ?? {}
  if (!fence || owner?.pid !== pid || findStage(folded, stage)?.status !== 'running') return
  await project.append({ type: 'failed', stage, fence, error: { code: 'time_limit', message }, retry_at: null })
  service.noteFailure(job.queue)
  void service.announce(project)
}
