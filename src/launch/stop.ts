/** Stopping in order: work first, then the API, Redis last; every component's end is a fact. */
import { AppError, messageOf, stackOf } from '../lib/errors.ts'
import { within } from '../lib/until.ts'
import type { DataLayout } from '../project/layout.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { endSurvivors, findSurvivors, type Survivor } from '../supervisor/sweep.ts'
import type { DataFolder } from './data-folder.ts'
import type { LaunchFact } from './facts.ts'
import type { HeldJobs } from './held-jobs.ts'
import type { DrainOrder } from './order.ts'
import type { OuterLimit } from './outer-limit.ts'
import { noteInterrupted } from './resume.ts'
import type { Service } from './service.ts'
import { createStopBoard, type StopBoard, type StopView } from './stop-board.ts'
import { FULL, HURRY, KILL, type StopBudget, stagesGiveBackMs, stopBudget } from './stop-budget.ts'
import { createStopClock, type StopClock } from './stop-clock.ts'

export type StopParts = {
  layout: DataLayout
  supervisor: Supervisor
  /** It may still be loading, and fail. */
  service: Promise<Pick<Service, 'store' | 'stop'>>
  folder: OwnFolder
  held: HeldJobs
  outerLimit: Promise<OuterLimit | null>
  onFact: (fact: LaunchFact) => void
}

export type OwnFolder = DataFolder & {
  /** As release, for an end that may leave processes: the guardian stays, and ends them once we are gone. */
  abandon(): Promise<void>
}

export type Stopper = {
  /** Drains, then stops all in order; each component's end is a fact. Calls share one stop. Kills before it throws. */
  stop(): Promise<void>
  /** The user is impatient: running steps are told to end, and all is over within two seconds. */
  hurry(): void
  /** SIGKILL to every process of ours, before it returns. */
  kill(): void
  /** What a stop that is under way waits for. */
  stopView(): StopView | null
}

/** They are killed; only one that is stuck in the kernel takes longer. */
const SWEEP_MS = 1_000
/** The most that these may take when there is time. */
const API_CLOSE_MS = 1_000
const REDIS_STOP_MS = 4_000
/** What is killed at its deadline is gone before the next part begins. */
const KILL_MS = 100
/** When a stop has failed, no longer than this. */
const ABANDON_MS = 1_000

export function createStopper(parts: StopParts): Stopper {
  const { supervisor, onFact } = parts
  let stop: Stop | undefined
  let stopping: Promise<void> | undefined

  async function run(): Promise<void> {
    const own: Stop = { ...parts, board: createBoard(parts), clock: createStopClock(FULL) }
    stop = own
    try {
      await inTime(own, stopAll(own))
    } catch (error) {
      await giveUp(own, error)
      throw error
    } finally {
      own.board.end()
      own.clock.end()
      stop = undefined
    }
  }

  return {
    stop() {
      stopping ??= run()
      return stopping
    },
    hurry() {
      if (stop) hurry(stop)
    },
    kill() {
      supervisor.kill()
      stop?.clock.lower(KILL)
      stop?.board.escalate('kill')
      onFact({ type: 'stop_escalated', to: 'kill' })
    },
    stopView: () => stop?.board.view() ?? null,
  }
}

type Stop = StopParts & { board: StopBoard; clock: StopClock }

/** The last resort: whatever it waits for, nobody waits for it. */
async function inTime({ clock }: Stop, all: Promise<void>): Promise<void> {
  if (await clock.by('last', all)) return
  throw new AppError('timeout', 'The stop did not end in time; everything was killed')
}

/** Nothing runs on, whatever has failed, and whoever starts next need not wait for us. */
async function giveUp({ supervisor, folder, onFact }: Stop, error: unknown): Promise<void> {
  supervisor.kill()
  onFact({ type: 'faulted', reason: messageOf(error), stack: stackOf(error) })
  await within(folder.abandon(), ABANDON_MS, undefined).catch(() => {}) // the error that is thrown came first
}

/** A Redis that is stopping already has to be quicker as well. */
function hurry({ clock, board, supervisor, onFact }: Stop): void {
  clock.lower(HURRY)
  const nowMs = performance.now()
  supervisor.hurry(workerSlots(supervisor), nowMs + HURRY.giveBackMs)
  if (supervisor.status().some(({ group, phase }) => group === 'redis' && phase === 'stopping'))
    supervisor.hurry(['redis'], nowMs + clock.leftMs('redis') - KILL_MS)
  board.escalate('hurry')
  onFact({ type: 'stop_escalated', to: 'hurry' })
}

function createBoard({ supervisor, held, service }: StopParts): StopBoard {
  const titleOf = async (id: string) => (await (await service).store.open(id)).read().state.title
  const { status: children, killInMs } = supervisor
  return createStopBoard({ children, jobs: (child) => held.of(child.pid), killInMs, titleOf })
}

async function stopAll(stop: Stop): Promise<void> {
  const { clock, board, layout, folder, outerLimit, onFact } = stop
  const startedMs = performance.now()
  const budget = stopBudget(await outerLimit)
  clock.lower(budget, startedMs)
  const workers = stopWorkers(stop, budget)
  await clock.by('work', workers)
  const noted = noteInterrupted(layout, clock.signal('notes')).catch(() => {}) // a full disk: the next start finds the same by the dead owners
  await clock.by('notes', noted)
  await stopApi(stop)
  const redis = stopRedis(stop)
  await clock.by('redis', redis)
  const left = await sweep(folder.dataId, Math.min(SWEEP_MS, clock.leftMs('sweep')))
  await clock.by('sweep', Promise.allSettled([workers, redis])) // a stray that has held a worker's output is gone now
  const ms = Math.round(performance.now() - startedMs)
  onFact({ type: 'stopped', ms, left: left.map((s) => s.pid), waited: board.waited() })
  await folder.release() // last of all: whoever comes next writes on where we have ended
}

async function stopApi({ clock, service, onFact }: Stop): Promise<void> {
  const startedMs = performance.now()
  const graceMs = Math.min(API_CLOSE_MS, Math.max(0, clock.leftMs('api') - KILL_MS))
  const stopped = service.then(
    (api) => api.stop(graceMs),
    () => {}, // it could not be loaded
  )
  await clock.by('api', stopped)
  onFact({ type: 'component_stopped', name: 'api', ms: performance.now() - startedMs })
}

/** A stage may have left a program in a session of its own; gives what could not be ended. */
async function sweep(dataId: string, timeoutMs: number): Promise<Survivor[]> {
  const found = await findSurvivors(dataId)
  if (found.length === 0) return found
  await endSurvivors(dataId, { timeoutMs }).catch(() => {}) // what is late is named by the next look
  return findSurvivors(dataId)
}

async function stopWorkers(stop: Stop, budget: StopBudget): Promise<void> {
  const { supervisor, board } = stop
  const { abortAfterMs, giveBackMs } = budget
  const names = workerSlots(supervisor)
  const abortAtMs = performance.now() + abortAfterMs
  const deadlineMs = abortAtMs + giveBackMs
  const drain: DrainOrder = { reason: 'stop', abortInMs: abortAfterMs, giveBackMs: stagesGiveBackMs(giveBackMs) }
  board.expect(names, abortAtMs)
  const stopped = supervisor.stop(names, { drain, deadlineMs })
  tellStopping(stop, budget) // who hears it may rely on the children having been told
  await stopped
}

async function stopRedis({ supervisor, board, clock }: Stop): Promise<void> {
  const nowMs = performance.now()
  const deadlineMs = nowMs + Math.min(REDIS_STOP_MS, Math.max(0, clock.leftMs('redis') - KILL_MS))
  board.expect(['redis'], nowMs)
  await supervisor.stop(['redis'], { deadlineMs })
}

/** All children but Redis, which the others need until their end. */
export function workerNames(supervisor: Supervisor): string[] {
  return supervisor.status().flatMap((child) => (child.group === 'redis' ? [] : [child.name]))
}

/** A process and the one that replaces it share one. */
function workerSlots(supervisor: Supervisor): string[] {
  return [...new Set(supervisor.status().flatMap((child) => (child.group === 'redis' ? [] : [child.slot])))]
}

function tellStopping({ held, onFact }: StopParts, { abortAfterMs, giveBackMs }: StopBudget): void {
  const running = held.all().map(({ stage, projectId }) => ({ stage, project: projectId }))
  onFact({ type: 'stopping', running, deadlineS: Math.round((abortAfterMs + giveBackMs) / 1_000) })
}
