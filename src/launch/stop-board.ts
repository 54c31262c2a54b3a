/** What a stop waits for, moment by moment: who still works, on what, until when, and at the end what it waited for. */
import type { HeldJob } from '../queue/job.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'

export type StopStep = 'drain' | 'hurry' | 'kill'

export type StoppingJob = { project: string; title: string; stage: string; age_s: number }

/** A process that has not ended yet; `told`: its steps have been told to end, and `left_s` counts to its kill. */
export type StoppingChild = { name: string; jobs: StoppingJob[]; told: boolean; left_s: number }

export type StopView = { step: StopStep; children: StoppingChild[] }

/** What a stop of more than a moment waited for: a job, or only a process. */
export type Waited = { ms: number; process: string; job: { project: string; title: string; stage: string } | null }

export type StopBoard = {
  view(): StopView
  /** From now on these have to end; at `abortAtMs`, on performance.now(), their steps are told to. */
  expect(slots: readonly string[], abortAtMs: number): void
  /** They are told now. */
  escalate(step: StopStep): void
  /** Null when it was over in a moment. */
  waited(): Waited | null
  end(): void
}

export type StopBoardOptions = {
  children: () => ChildStatus[]
  jobs: (child: ChildStatus) => HeldJob[]
  /** Asked of whoever kills, who may put it off. */
  killInMs: (name: string) => number | null
  titleOf: (projectId: string) => Promise<string>
  now?: () => number
}

const LOOK_EVERY_MS = 100
const MOMENT_MS = 1_000

type Seen = Omit<Waited, 'ms'> & { since: string; lastMs: number }

export function createStopBoard({
  children,
  jobs,
  killInMs,
  titleOf,
  now = () => performance.now(),
}: StopBoardOptions): StopBoard {
  const startedMs = now()
  const abortsAtMs = new Map<string, number>()
  const titles = createTitles(titleOf)
  const seen = new Map<string, Seen>()
  let step: StopStep = 'drain'

  function look(): void {
    for (const child of stopping()) for (const one of sightings(child)) seen.set(one.id, { ...one, lastMs: now() })
  }

  const stopping = () =>
    children().filter(({ slot, pid, phase }) => abortsAtMs.has(slot) && pid !== null && phase !== 'stopped')

  /** A process is seen by itself too: one that holds no job can be what a stop waits for. */
  function sightings(child: ChildStatus) {
    const process = child.name
    const held = jobs(child).map(({ taskId, projectId: project, stage, since }) => ({
      id: taskId,
      process,
      since,
      job: { project, title: titles(project), stage },
    }))
    return held.length > 0 ? held : [{ id: process, process, since: '', job: null }]
  }

  function rowOf(child: ChildStatus): StoppingChild {
    const untilToldMs = abortsAtMs.get(child.slot)! - now()
    const told = untilToldMs <= 0
    const leftMs = told ? (killInMs(child.name) ?? 0) : untilToldMs
    return {
      name: child.name,
      jobs: jobs(child).map(({ projectId: project, stage, since }) => ({
        project,
        title: titles(project),
        stage,
        age_s: secondsSince(since),
      })),
      told,
      left_s: Math.max(0, Math.round(leftMs / 1_000)),
    }
  }

  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  return {
    view: () => ({ step, children: stopping().map(rowOf) }),
    expect(slots, abortAtMs) {
      for (const slot of slots) abortsAtMs.set(slot, abortAtMs)
      look()
    },
    escalate(next) {
      step = next
      for (const slot of abortsAtMs.keys()) abortsAtMs.set(slot, now())
    },
    waited: () => longest([...seen.values()], startedMs),
    end: () => clearInterval(timer),
  }
}

/** The last to go; of those that went together, a job before a mere process, and the one that had run longest. */
function longest(all: readonly Seen[], startedMs: number): Waited | null {
  const lastMs = Math.max(...all.map((one) => one.lastMs))
  const together = all.filter((one) => lastMs - one.lastMs < MOMENT_MS)
  if (together.length === 0 || lastMs - startedMs < MOMENT_MS) return null
  const rank = ({ job, since }: Seen) => (job ? since : LAST)
  const { process, job, lastMs: untilMs } = together.reduce((best, one) => (rank(one) < rank(best) ? one : best))
  return { ms: Math.round(untilMs - startedMs), process, job }
}

/** After every ISO date. */
const LAST = '\uffff'

/** Asked for once; until it is known the project's id stands for it. */
function createTitles(titleOf: (projectId: string) => Promise<string>): (projectId: string) => string {
  const known = new Map<string, string>()
  return (id) => {
    if (!known.has(id)) {
      known.set(id, id)
      titleOf(id).then(
        (title) => known.set(id, title),
        () => {}, // it cannot be read: its id has to do
      )
    }
    return known.get(id)!
  }
}

function secondsSince(iso: string): number {
  return Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 1_000))
}
