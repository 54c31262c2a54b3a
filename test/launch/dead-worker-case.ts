/** A dead worker, and a queue that says what is done to its jobs. */
import type { TestContext } from 'node:test'
import type { ChildExit, DeadWorkerDeps } from '../../src/launch/dead-worker.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { createHeldJobs } from '../../src/launch/held-jobs.ts'
import { createOutsideKills } from '../../src/launch/outside-kills.ts'
import type { Project, ProjectStore } from '../../src/project/store.ts'
import type { Dispatcher } from '../../src/queue/dispatcher.ts'
import type { HeldJob } from '../../src/queue/job.ts'
import { ALIVE, begin, openStore } from '../helpers/projects.ts'

export const DEAD = 4_000_001
export const EXIT: ChildExit = {
  type: 'child_exited',
  name: 'io-1',
  pid: DEAD,
  wanted: true,
  code: 3,
  signal: null,
  reason: 'exited with code 3',
  killedFor: null,
  where: null,
  lines: [],
}

export const KILLED: ChildExit = { ...EXIT, code: null, signal: 'SIGKILL', reason: 'was ended by SIGKILL' }
export const CLEAN = { alone: false, deaths: 0 }

export function suspicionOf(project: Project) {
  const { alone, deaths } = project.read().internals.write!
  return { alone, deaths: deaths.length }
}

export const stagesOf = (project: Project) => project.read().state.stages

/** A worker of the group `io` whose jobs the test begins, and a queue that says what is done to it, in order. */
export async function openCase(t: TestContext) {
  const store = await openStore(t)
  const held = createHeldJobs()
  const events: string[] = []
  const hold = ({ id }: Project, running = false) => {
    const about = { projectId: id, owner: 'operator', taskId: `${id}-1`, stage: 'write', since: '' }
    const job: HeldJob = { ...about, queue: 'llm', token: `${DEAD}.x`, running, limit: null }
    held.note({ pid: DEAD }, { type: 'held', jobs: [...held.of(DEAD), job] })
  }
  const deps: DeadWorkerDeps = {
    workers: [{ name: 'io', queues: ['llm', 'image'], processes: 1 }],
    held,
    memory: { justNow: () => false },
    kills: createOutsideKills(),
    service: {
      store,
      dispatcher: fakeDispatcher(store, events),
      announce: async (project) => note(project),
      noteFailure: (queue) => void events.push(`failure ${queue}`),
    },
    onFact: (fact) => void events.push(...wordsOf(fact)),
    phase: 'running',
  }
  const note = (project: Project) => void events.push(`announce ${project.id} ${stagesOf(project)[0]?.status}`)
  /** Begins the stage in the name of the worker that will be dead. */
  const run = async (project: Project) => {
    const attempt = await begin(project, 'write', { ...ALIVE, pid: DEAD, token: `${DEAD}.x` })
    hold(project, true)
    return attempt
  }
  const step = async (project: Project, name: string) => {
    const { fence } = project.read().internals.write!
    const result = { value: null }
    await project.append({ type: 'step', stage: 'write', fence: fence!, name, key: name, result, files: [] })
  }
  return { store, deps, events, run, hold, step }
}

function fakeDispatcher({ open }: ProjectStore, events: string[]): Dispatcher {
  return {
    async takeBack({ taskId }: HeldJob) {
      const project = await open(taskId.slice(0, -2))
      events.push(`back ${taskId} while ${stagesOf(project)[0]?.status}`)
      return true
    },
    takeBackFrom: async () => 0,
  } as Partial<Dispatcher> as Dispatcher
}

function wordsOf(fact: LaunchFact): string[] {
  if (fact.type === 'death_charged') return [`charged ${fact.stage} ${fact.deaths}`]
  return fact.type === 'jobs_taken_back' ? [`taken back ${fact.jobs}`] : []
}
