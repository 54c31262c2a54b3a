/** Looks every few seconds, while there is work, whether every consumer that could take a waiting job takes one. */
import type { Config } from '../config.ts'
import type { Backlog } from '../queue/backlog.ts'
import type { HeldJob } from '../queue/job.ts'
import { shareOf } from '../queue/share.ts'
import type { QueueName } from '../settings.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { type ConsumerVerdict, judgeConsumers, type Look, NO_SUSPICIONS, type WorkerLook } from './consumer-verdicts.ts'
import type { LaunchFact } from './facts.ts'
import { createHandOver } from './hand-over.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { Refresh, WorkerBeat } from './order.ts'
import type { Phase } from './phase.ts'
import type { Service } from './service.ts'

export type ConsumerWatchParts = {
  config: Config
  held: HeldJobs
  supervisor: Supervisor
  service: Pick<Service, 'store' | 'dispatcher' | 'registry'>
  phase: () => Phase
  onFact: (fact: LaunchFact) => void
}

const EVERY_MS = 5_000
/** Beats come once a second. */
const FRESH_S = 4

/** Runs until the program stops. */
export function startConsumerWatch({ config, held, supervisor, service, phase, onFact }: ConsumerWatchParts): void {
  const { workers: groups, concurrency, timeLimitS } = config
  const handOver = createHandOver({ groups, registry: service.registry, timeLimitS })
  watchConsumers({
    groups,
    concurrency,
    children: supervisor.status,
    held: held.of,
    phase,
    hasWork: async () => (await service.store.openIds()).length > 0,
    backlog: service.dispatcher.backlog,
    act({ do: what, name, queue, waitedMs }) {
      const group = groups.find((one) => one.queues.includes(queue))!
      const why = `it takes nothing from ${queue}, and fetching anew has not helped`
      if (what === 'replace') supervisor.replace(name, { ...handOver(group.name), why })
      else if (supervisor.send(name, { type: 'refresh', queue } satisfies Refresh))
        onFact({ type: 'consumer_refreshed', name, queue, waitedMs })
    },
  })
}

type WatchOptions = {
  groups: readonly { name: string; queues: readonly QueueName[] }[]
  concurrency: Readonly<Record<QueueName, number>>
  children: () => ChildStatus[]
  held: (pid: number | null) => HeldJob[]
  /** Whether any project is open: an idle installation is not asked. */
  hasWork: () => Promise<boolean>
  /** Throws when Redis is away. */
  backlog: () => Promise<Record<QueueName, Backlog>>
  act: (verdict: ConsumerVerdict) => void
  phase: () => Phase
}

function watchConsumers(options: WatchOptions): void {
  let suspicions = NO_SUSPICIONS
  let isLooking = false

  async function look(): Promise<void> {
    if (options.phase() === 'stopping') clearInterval(timer)
    if (isLooking || options.phase() !== 'running') return
    isLooking = true
    try {
      const queues = await readQueues(options)
      const looked = { queues, workers: workersOf(options), moving: movingSlots(options) }
      const judged = judgeConsumers(suspicions, looked, performance.now())
      suspicions = judged.suspicions
      judged.verdicts.forEach(options.act)
    } finally {
      isLooking = false
    }
  }

  const timer = setInterval(() => void look(), EVERY_MS).unref()
}

/** Null is an answer too: without one nobody can be blamed for taking nothing. */
async function readQueues({ hasWork, backlog }: WatchOptions): Promise<Look['queues']> {
  try {
    return (await hasWork()) ? await backlog() : null
  } catch {
    return null // Redis is away, or the folder cannot be read: the next look tells
  }
}

/** Those that serve, and will go on to. */
function workersOf(options: WatchOptions): WorkerLook[] {
  return options.children().flatMap((child) => {
    const group = options.groups.find(({ name }) => name === child.group)
    return group && serves(child) ? [workerLook(options, child, group.queues)] : []
  })
}

/** Replaced by whomever: the upkeep, an operator, or this watch. */
function movingSlots({ children }: WatchOptions): string[] {
  return children().flatMap(({ role, slot }) => (role === 'current' ? [] : [slot]))
}

function serves({ ready, role }: ChildStatus): boolean {
  return ready && role === 'current'
}

function workerLook(
  { held, concurrency, children }: WatchOptions,
  { name, group, pid, beat, beat_age_s }: ChildStatus,
  queues: readonly QueueName[],
): WorkerLook {
  const tallies = (beat as WorkerBeat | null)?.queues
  const jobs = held(pid)
  const processes = children().filter((child) => child.group === group && serves(child)).length
  const rows = queues.map((queue) => {
    const started = tallies?.[queue]?.started ?? 0
    return [
      queue,
      {
        started,
        held: jobs.filter((job) => job.queue === queue).length,
        slots: shareOf(concurrency[queue], processes),
      },
    ]
  })
  const isFresh = tallies !== undefined && beat_age_s !== null && beat_age_s < FRESH_S
  return { name, pid: pid ?? 0, isFresh, queues: Object.fromEntries(rows) }
}
