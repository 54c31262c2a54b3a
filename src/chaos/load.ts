/** The projects under way, watched through their journals: that works whatever else is down. */
import type { Client } from '../client/client.ts'
import { AppError } from '../lib/errors.ts'
import { until } from '../lib/until.ts'
import type { Folded } from '../project/folded.ts'
import { type Journal, openJournal } from '../project/journal.ts'
import { type DataLayout, projectLayout } from '../project/layout.ts'
import { ENDED } from '../project/project.ts'
import type { ClaimOwner } from '../project/records.ts'
import type { Expectation } from './audit.ts'
import type { Work } from './work.ts'

/** A stage that has an owner: whether that one still lives is another question. */
export type RunningStage = {
  project: string
  stage: string
  attempt: number
  /** Steps that are remembered. */
  steps: number
  owner: ClaimOwner
  /** When the last thing was heard of its project. */
  updatedMs: number
}

export type Waiting = { timeoutMs: number; signal: AbortSignal }

export type Load = {
  /** The accepted projects, and how they should end. */
  readonly expected: ReadonlyMap<string, Expectation>
  add(api: Client, work: Work): Promise<string>
  /** Of a project that was made in another way. */
  accept(id: string, expected: Expectation): void
  running(): RunningStage[]
  /** How often each stage was begun. */
  attempts(): { project: string; stage: string; attempts: number }[]
  /** Those that wait for this reason. */
  waiting(reason: string): string[]
  /** Waits for a running stage that fits. Throws `timeout`. */
  untilRunning(test: (stage: RunningStage) => boolean, waiting: Waiting): Promise<RunningStage>
  open(): string[]
  /** Throws `timeout`, also when for `idleMs` nothing was written down of any of them. */
  untilEnded(waiting: Waiting & { idleMs?: number }): Promise<void>
}

export function createLoad(layout: DataLayout): Load {
  const expected = new Map<string, Expectation>()
  const journals = new Map<string, Journal>()
  const ended = new Set<string>()
  const accept = (id: string, expectation: Expectation) => {
    expected.set(id, expectation)
    journals.set(id, openJournal(projectLayout(layout, id).journal))
  }
  const open = () => {
    for (const [id, journal] of journals) if (!ended.has(id) && hasEnded(journal)) ended.add(id)
    return [...journals.keys()].filter((id) => !ended.has(id))
  }
  const states = (ids: Iterable<string>) => [...ids].flatMap((id) => stateIn(journals.get(id)!)?.state ?? [])
  const running = () => open().flatMap((id) => runningIn(journals.get(id)!))
  return {
    expected,
    accept,
    async add(api, { pipeline, input, expected: expectation }) {
      const { id } = await api.projects.create({ pipeline, input })
      accept(id, expectation)
      return id
    },
    running,
    attempts: () =>
      states(journals.keys()).flatMap(({ id: project, stages }) =>
        stages.map(({ name: stage, attempts }) => ({ project, stage, attempts })),
      ),
    waiting: (reason) =>
      states(open()).flatMap((state) => (state.status === 'waiting' && state.reason === reason ? [state.id] : [])),
    open,
    untilRunning: (test, waiting) =>
      until(() => running().find(test), { ...waiting, everyMs: 10, what: 'a stage to be in the middle of its work' }),
    async untilEnded({ idleMs = Number.POSITIVE_INFINITY, ...waiting }) {
      let last = { revisions: '', atMs: performance.now() }
      const isOver = () => {
        const left = open()
        const revisions = states(left)
          .map(({ revision }) => revision)
          .join()
        if (revisions !== last.revisions) last = { revisions, atMs: performance.now() }
        const isIdle = left.length > 0 && performance.now() - last.atMs > idleMs
        if (isIdle) throw new AppError('timeout', `Nothing was heard of ${left.length} projects for ${idleMs} ms`)
        return left.length === 0
      }
      await until(isOver, { ...waiting, everyMs: 50, what: 'all projects to end' })
    },
  }
}

/** A project that has vanished will be found lost; until then it counts as open. */
function hasEnded(journal: Journal): boolean {
  const status = stateIn(journal)?.state.status
  return status !== undefined && ENDED.has(status)
}

function stateIn(journal: Journal): Folded | undefined {
  try {
    return journal.read()
  } catch {
    return undefined // gone, or unreadable at this moment
  }
}

function runningIn(journal: Journal): RunningStage[] {
  const folded = stateIn(journal)
  if (!folded) return []
  const { state, internals } = folded
  return state.stages.flatMap(({ name, status, attempts, steps }) => {
    const owner = internals[name]?.owner
    if (status !== 'running' || !owner) return []
    const updatedMs = Date.parse(state.updated_at)
    return [{ project: state.id, stage: name, attempt: attempts, steps: steps.length, owner, updatedMs }]
  })
}
