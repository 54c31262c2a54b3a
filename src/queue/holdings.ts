/** The jobs of this process: one entry each, also while the queue, which lost a job's lock, hands it out again. */
import { machineMs } from '../lib/machine-clock.ts'
import type { HeldJob } from './job.ts'
import type { Verdict } from './process-job.ts'

export type Holding = {
  /** With the token of the latest fetch, which is the one that the queue accepts. */
  job: HeldJob
  readonly verdict: Promise<Verdict>
  /** The verdict is there; what is fetched from now on is another run. */
  isOver: boolean
}

/** What a run tells of itself. */
export type RunMarks = {
  /** Its stage is claimed. */
  onRunning(): void
  /** The stage's clock begins with so many seconds to go, or is off again. */
  onClock(limitS: number | null): void
}

export type Holdings = {
  all(): HeldJob[]
  /** Begins `work`, or waits for the same when the job is held already: a lost lock ends no stage. */
  hold(job: HeldJob, work: (marks: RunMarks) => Promise<Verdict>): Holding
  /** Called by every fetch when it has answered; the latest one lets the job go. */
  leave(holding: Holding, token: string): void
}

/** `onChange` hears of all jobs whenever one is taken, begins to run, or ends. */
export function createHoldings(onChange: (jobs: HeldJob[]) => void): Holdings {
  const holdings = new Map<string, Holding>()
  const all = () => [...holdings.values()].map(({ job }) => job)

  function change(holding: Holding, change: Partial<HeldJob>): void {
    holding.job = { ...holding.job, ...change }
    onChange(all())
  }

  function begin(job: HeldJob, work: (marks: RunMarks) => Promise<Verdict>): Holding {
    const marks: RunMarks = {
      onRunning: () => change(holding, { running: true, since: new Date().toISOString() }),
      onClock(limitS) {
        change(holding, { limit: limitS === null ? null : { seconds: limitS, atMs: machineMs() + limitS * 1_000 } })
      },
    }
    const run = async () => {
      try {
        return await work(marks)
      } finally {
        holding.isOver = true
      }
    }
    const holding: Holding = { job, isOver: false, verdict: Promise.resolve().then(run) }
    holdings.set(job.taskId, holding)
    onChange(all())
    return holding
  }

  return {
    all,
    hold(job, work) {
      const known = holdings.get(job.taskId)
      if (!known || known.isOver) return begin(job, work)
      change(known, { token: job.token })
      return known
    },
    leave(holding, token) {
      if (holding.job.token !== token || holdings.get(holding.job.taskId) !== holding) return
      holdings.delete(holding.job.taskId)
      onChange(all())
    },
  }
}
