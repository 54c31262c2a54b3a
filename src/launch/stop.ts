/** Stopping in order: work first, then the API, Redis last; every component's end is a fact. */
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
import { type StopBudget, stopBudget } from './stop-budget.ts'

export type StopParts = {
  layout: DataLayout
  supervisor: Supervisor
  service: Service
  folder: DataFolder
  held: HeldJobs
  outerLimit: Promise<OuterLimit | null>
  onFact: (fact: LaunchFact) => void
}

export type Stopper = {
  /** Drains, then stops all in order; each component's end is a fact. Calls share one stop. */
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
/** After a second Ctrl+C. */
const HURRY_MS = 1_500

export function createStopper(parts: StopParts): Stopper {
  const { supervisor, onFact } = parts
  let board: StopBoard | undefined
  let stopping: Promise<void> | undefined

  async function run(): Promise<void> {
    board = createBoard(parts)
    try {
      await stopAll(parts, board)
    } finally {
      board.end()
      board = undefined
    }
  }

  return {
    stop() {
      stopping ??= run()
      return stopping
    },
    hurry() {
      const killAtMs = performance.now() + HURRY_MS
      supervisor.hurry(workerSlots(supervisor), killAtMs)
      board?.escalate('hurry', killAtMs)
      onFact({ type: 'stop_escalated', to: 'hurry' })
    },
    kill() {
      supervisor.kill()
      board?.escalate('kill', performance.now())
      onFact({ type: 'stop_escalated', to: 'kill' })
    },
    stopView: () => board?.view() ?? null,
  }
}

function createBoard({ supervisor, held, service }: StopParts): StopBoard {
  const titleOf = async (id: string) => (await service.store.open(id)).read().state.title
  return createStopBoard({ children: supervisor.status, jobs: (child) => held.of(child.pid), titleOf })
}

async function stopAll(parts: StopParts, board: StopBoard): Promise<void> {
  const { supervisor, service, layout, folder, onFact } = parts
  const startedMs = performance.now()
  const budget = stopBudget(await parts.outerLimit)
  await stopWorkers(parts, board, budget)
  await noteInterrupted(layout).catch(() => {}) // a full disk: the next start finds the same by the dead owners
  const apiMs = performance.now()
  await service.stop(budget.apiCloseMs)
  onFact({ type: 'component_stopped', name: 'api', ms: performance.now() - apiMs })
  await stopRedis(supervisor, board, budget)
  const left = await sweep(folder.dataId)
  const ms = Math.round(performance.now() - startedMs)
  onFact({ type: 'stopped', ms, left: left.map((s) => s.pid), waited: board.waited() })
  await folder.release() // last of all: whoever comes next writes on where we have ended
}

/** A stage may have left a program in a session of its own; gives what could not be ended. */
async function sweep(dataId: string): Promise<Survivor[]> {
  const found = await findSurvivors(dataId)
  if (found.length === 0) return found
  await endSurvivors(dataId, { timeoutMs: SWEEP_MS }).catch(() => {}) // what is late is named by the next look
  return findSurvivors(dataId)
}

async function stopWorkers(parts: StopParts, board: StopBoard, budget: StopBudget): Promise<void> {
  const { supervisor } = parts
  const { abortAfterMs, giveBackMs } = budget
  const names = workerSlots(supervisor)
  const abortAtMs = performance.now() + abortAfterMs
  const deadlineMs = abortAtMs + giveBackMs
  const drain: DrainOrder = { reason: 'stop', abortInMs: abortAfterMs }
  board.expect(names, { abortAtMs, killAtMs: deadlineMs })
  const stopped = supervisor.stop(names, { drain, deadlineMs })
  tellStopping(parts, budget) // who hears it may rely on the children having been told
  await stopped
}

async function stopRedis(supervisor: Supervisor, board: StopBoard, { redisStopMs }: StopBudget): Promise<void> {
  const nowMs = performance.now()
  const deadlineMs = nowMs + redisStopMs
  board.expect(['redis'], { abortAtMs: nowMs, killAtMs: deadlineMs })
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
