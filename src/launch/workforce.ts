/** What an operator does with the worker processes: looks at them, restarts one, gives a group more or fewer. */
import type { Workforce } from '../api/deps.ts'
import type { Scale, ScaleAnswer } from '../api/schemas/workers.ts'
import type { WorkerGroup } from '../config/grammars.ts'
import { AppError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import type { ChildSpec } from '../supervisor/spec.ts'
import type { StopOptions, Supervisor } from '../supervisor/supervisor.ts'
import type { LaunchFact } from './facts.ts'
import type { DrainOrder } from './order.ts'
import type { Phase } from './phase.ts'
import { viewWorker, type WorkerFacts } from './worker-view.ts'

export type WorkforceOptions = WorkerFacts & {
  supervisor: Supervisor
  groups: readonly WorkerGroup[]
  specFor: (name: string, group: string) => ChildSpec
  /** How the processes of a group are drained when their work goes on elsewhere. */
  handOver: (group: string) => Required<StopOptions>
  phase: () => Phase
  onFact: (fact: LaunchFact) => void
  log: Log
}

const LIST = new Intl.ListFormat('en-GB')
/** The scheduler holds no work. */
const SCHEDULER_STOP_MS = 5_000

export function createWorkforce(options: WorkforceOptions): Workforce {
  const { supervisor, groups, phase } = options
  /** Taken out, and still at their last jobs. */
  const leaving = new Set<string>()
  const workers = () => supervisor.status().filter(({ group }) => groups.some(({ name }) => name === group))

  return {
    list: () => workers().map((child) => viewWorker(child, options)),
    restart(name, by) {
      assertRunning(phase())
      const child = findRestartable(supervisor.status(), name, leaving)
      return { name, message: restartOne(options, child, by) }
    },
    scale(wish, by) {
      assertRunning(phase())
      return scale(options, { ...wish, by, leaving, workers: workers() })
    },
  }
}

function assertRunning(phase: Phase): void {
  if (phase !== 'running') throw new AppError('wrong_state', `The program is ${phase}`)
}

function findRestartable(children: ChildStatus[], name: string, leaving: ReadonlySet<string>): ChildStatus {
  if (name === 'redis')
    throw new AppError('wrong_state', 'Redis is not restarted by hand: all work would wait for it, and none would gain')
  const child = children.find((c) => c.name === name)
  if (!child) throw new AppError('not_found', `There is no process ${name}; there are ${namesOf(children)}`)
  const why = refusalFor(child, children, leaving)
  if (why !== null) throw new AppError('wrong_state', `${name} ${why}`, { details: { phase: child.phase } })
  return child
}

function namesOf(children: ChildStatus[]): string {
  return children.flatMap(({ name, role, group }) => (role === 'current' && group !== 'redis' ? [name] : [])).join(', ')
}

function refusalFor(child: ChildStatus, children: ChildStatus[], leaving: ReadonlySet<string>): string | null {
  if (child.role === 'old') return 'is on its way out; its successor has taken over'
  const isReplaced = children.some(({ slot, role }) => slot === child.slot && role !== 'current')
  if (child.role === 'next' || isReplaced) return 'is being replaced already'
  if (leaving.has(child.name) || child.phase === 'stopping') return 'is being stopped'
  if (child.phase === 'waiting' || child.phase === 'starting') return 'is starting already'
  return child.phase === 'killing' ? 'is being ended, and starts again by itself' : null
}

/** Begins it, and says in a sentence what happens now. */
function restartOne(options: WorkforceOptions, { name, group, ready }: ChildStatus, by: string): string {
  const { supervisor, handOver, onFact } = options
  onFact({ type: 'operator_asked', process: name, what: 'a restart', by })
  if (!ready) {
    supervisor.restart(name, { deadlineMs: performance.now() })
    return `${name} was down and is started now`
  }
  if (!options.groups.some((known) => known.name === group)) {
    supervisor.restart(name, {
      drain: { reason: 'recycle', abortInMs: 0, giveBackMs: 0 } satisfies DrainOrder,
      deadlineMs: performance.now() + SCHEDULER_STOP_MS,
    })
    return `${name} is stopped and started again`
  }
  supervisor.replace(name, { ...handOver(group), why: `restart asked for by ${by}` })
  return `${name} is being replaced: its successor serves first, then its running stages go on there`
}

type ScaleRequest = Scale & { by: string; leaving: Set<string>; workers: ChildStatus[] }

function scale(options: WorkforceOptions, request: ScaleRequest): ScaleAnswer {
  const { group, processes, leaving, workers } = request
  const known = options.groups.map(({ name }) => name)
  if (!known.includes(group))
    throw new AppError('not_found', `There is no group ${group}; there are ${known.join(', ')}`)
  const slots = workers.filter((c) => c.group === group && c.role === 'current' && !leaving.has(c.name))
  const names = slots.toSorted(byUse).map(({ name }) => name)
  const taken = new Set(workers.map(({ slot }) => slot))
  const more = freeNames(group, taken, processes - names.length)
  const fewer = names.slice(processes)
  const what = `${processes} ${processes === 1 ? 'process' : 'processes'} in ${group}`
  for (const process of [...more, ...fewer]) options.onFact({ type: 'operator_asked', process, what, by: request.by })
  for (const name of more) options.supervisor.add(options.specFor(name, group))
  for (const name of fewer) void takeOut(options, { name, group, leaving })
  options.log.info({ group, processes, more, fewer, by: request.by }, 'scaled')
  const serving = [...names.slice(0, processes), ...more].sort(byNumber)
  return { group, processes, names: serving, message: wordsOf(request, more, fewer) }
}

/** The lowest numbers that no process has; one that still finishes its last jobs keeps its own. */
function freeNames(group: string, taken: ReadonlySet<string>, count: number): string[] {
  const free: string[] = []
  for (let n = 1; free.length < count; n++) if (!taken.has(`${group}-${n}`)) free.push(`${group}-${n}`)
  return free
}

async function takeOut(
  { supervisor, handOver, log }: WorkforceOptions,
  { name, group, leaving }: { name: string; group: string; leaving: Set<string> },
): Promise<void> {
  leaving.add(name)
  try {
    await supervisor.remove(name, handOver(group))
  } catch (error) {
    log.error({ process: name, error: messageOf(error) }, 'a process that was taken out did not end')
  } finally {
    leaving.delete(name)
  }
}

function wordsOf({ group, processes }: Scale, more: string[], fewer: string[]): string {
  const count = `${processes} ${processes === 1 ? 'process' : 'processes'}`
  if (more.length + fewer.length === 0) return `Nothing changes: ${group} has ${count} already.`
  const isOne = more.length + fewer.length === 1
  const begins = isOne ? 'is starting' : 'are starting'
  const ends = isOne ? 'finishes its work and ends' : 'finish their work and end'
  const what = more.length > 0 ? `${LIST.format(more)} ${begins}` : `${LIST.format(fewer.toSorted(byNumber))} ${ends}`
  return `${what}. This lasts until the next start; to keep it, set WORKERS.`
}

/** One that serves, or is about to, is worth more than a lower number. */
function byUse(a: ChildStatus, b: ChildStatus): number {
  const use = ({ ready, alive }: ChildStatus) => Number(ready) + Number(alive)
  return use(b) - use(a) || byNumber(a.name, b.name)
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b)
}

function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}
