/** Looks at all worker processes every five seconds: adds up what they did, shares the work, recycles who is due. */

import type { WorkerGroup } from '../config/grammars.ts'
import { AppError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { StopOptions, Supervisor } from '../supervisor/supervisor.ts'
import type { LaunchFact } from './facts.ts'
import type { Futile } from './memory-watch.ts'
import type { Phase } from './phase.ts'
import { decideRecycle, NOTHING_SEEN, type RecycleLimits, type WorkerSample } from './recycler.ts'
import { createShares } from './shares.ts'
import type { Totals } from './totals.ts'
import { jobsDone } from './worker-view.ts'

export type UpkeepOptions = {
  supervisor: Pick<Supervisor, 'status' | 'replace' | 'send' | 'usage'>
  groups: readonly WorkerGroup[]
  totals: Totals
  limits: RecycleLimits
  handOver: (group: string) => Required<StopOptions>
  phase: () => Phase
  log: Log
}

export type Upkeep = {
  /** To be told of everything that happens to the processes. */
  note(fact: LaunchFact): void
  stop(): void
}

const EVERY_MS = 5_000
const COME_AND_GO: ReadonlySet<LaunchFact['type']> = new Set([
  'child_ready',
  'child_stopping',
  'child_exited',
  'child_replaced',
])

export function startUpkeep(options: UpkeepOptions): Upkeep {
  const { supervisor, totals } = options
  const share = createShares(options)
  let state = NOTHING_SEEN

  function look(): void {
    const children = supervisor.status()
    totals.note(children)
    share()
    if (options.phase() !== 'running') return
    const samples = children.filter((child) => isWorker(options, child)).map(sampleOf)
    const decision = decideRecycle(state, samples, { nowMs: performance.now(), limits: options.limits })
    state = decision.state
    for (const one of decision.futile) warnFutile(options, one)
    if (decision.recycle) recycle(options, children, decision.recycle)
  }

  /** What it counted last: its status has forgotten its pid, and what was measured of it. */
  function noteEnd({ name, pid }: { name: string; pid: number | null }): void {
    const child = supervisor.status().find((one) => one.name === name)
    if (child && pid !== null) totals.noteEnd({ ...child, cpu_s: supervisor.usage(pid).cpu_s }, pid)
  }

  const timer = setInterval(look, EVERY_MS).unref()
  return {
    note(fact) {
      if (fact.type === 'child_exited') noteEnd(fact)
      if (COME_AND_GO.has(fact.type)) share()
    },
    stop: () => clearInterval(timer),
  }
}

function isWorker({ groups }: UpkeepOptions, child: ChildStatus): boolean {
  return groups.some(({ name }) => name === child.group)
}

function sampleOf(child: ChildStatus): WorkerSample {
  return { ...child, jobs: jobsDone(child.beat) }
}

function recycle({ supervisor, handOver }: UpkeepOptions, children: ChildStatus[], due: { name: string; why: string }) {
  const group = children.find(({ name }) => name === due.name)?.group
  if (group === undefined) throw new AppError('internal', `There is no process ${due.name}`)
  supervisor.replace(due.name, { ...handOver(group), why: due.why })
}

const FUTILE: Record<Futile['when'], string> = {
  fresh: 'WORKER_MAX_RSS_MB is below what a fresh worker holds: raise it, or set it to 0',
  working:
    'a fresh worker is above WORKER_MAX_RSS_MB within minutes, so its work needs that much: raise the setting; ' +
    'meanwhile it is replaced once an hour, or when it holds much more',
}

function warnFutile({ log, limits }: UpkeepOptions, { name, rssBytes, when }: Futile): void {
  const [holds_mb, limit_mb] = [rssBytes, limits.maxRssBytes].map((size) => Math.round(size / 2 ** 20))
  log.warn({ process: name, holds_mb, limit_mb }, FUTILE[when])
}
