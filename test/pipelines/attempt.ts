/** One attempt at a stage in a real project folder, with nothing around it. */
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import type { RunRequest } from '../../src/pipelines/attempt-run.ts'
import type { StageContext, StageDefinition } from '../../src/pipelines/define.ts'
import { runStage } from '../../src/pipelines/run.ts'
import type { Attempt } from '../../src/project/attempt.ts'
import type { Project } from '../../src/project/store.ts'
import type { Providers } from '../../src/providers/pick.ts'
import { recordedStage } from '../helpers/live.ts'
import { ALIVE, begin, createProject, openStore } from '../helpers/projects.ts'

export type Run = StageDefinition['run']

export async function start(t: TestContext, input?: unknown): Promise<Project> {
  return createProject(await openStore(t), input)
}

/** Runs `run` as the project's first stage, or the one that `change` names; it replaces parts of the request. */
export async function perform(project: Project, run: Run, change: Partial<RunRequest> = {}) {
  const attempt = await begin(project, change.stage?.name ?? 'write', { ...ALIVE, token: Math.random().toString() })
  return runStage({
    ...recording(attempt),
    stage: { name: 'write', queue: 'llm', run },
    providers: {} as Providers,
    nice: 0,
    limits: { softS: 60, hardS: 90 },
    endPrograms: () => {},
    onClock: () => {},
    onNudge: () => () => {},
    live: recordedStage(),
    ...change,
  })
}

/** What the end of an attempt is written down with. */
export function recording(attempt: Attempt) {
  return {
    attempt,
    log: silentLog,
    clean: (text: string) => text,
    drain: { reason: () => null, signal: new AbortController().signal },
  }
}

export const stageOf = (project: Project) => project.read().state.stages[0]!

/** A stage that does nothing until its signal fires, and says why it did. */
export async function untilAborted({ signal }: StageContext): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}
