/** Tells viewers what the journal says: once however many processes tell it, never what is no longer true. */
import { ENDED, type ProjectState, type StageState } from '../project/project.ts'
import { liveStatus, PROJECT } from './events.ts'
import type { RedisStream } from './redis-stream.ts'

/** `revisions`: of each stage's last status change. Rejects while Redis is away. */
export async function announce(
  stream: RedisStream,
  state: ProjectState,
  revisions: Record<string, number>,
): Promise<void> {
  // One connection keeps their order; waiting for each answer would cost a stage more than its own records do.
  await Promise.all([announceStages(stream, state, revisions), announceProject(stream, state, revisions)])
}

export async function announceStages(
  stream: RedisStream,
  state: ProjectState,
  revisions: Record<string, number>,
): Promise<void> {
  const told = state.stages.map((stage) => announceStage(stream, { projectId: state.id, stage }, revisions[stage.name]))
  await Promise.all(told)
}

export async function announceProject(
  stream: RedisStream,
  state: ProjectState,
  revisions: Record<string, number>,
): Promise<void> {
  const names = state.stages.map((stage) => stage.name)
  const current = state.stages.find((stage) => stage.status === state.status) ?? null
  await stream.project(state.id, {
    revision: projectRevision(revisions),
    ended: ENDED.has(state.status),
    stages: names,
    fields: projectFields(state),
    percent: state.progress,
    stage: current?.name ?? names.at(-1) ?? null,
    message: messageOfProject(state),
  })
}

/** The project's own revision, or the last change of any of its stages. */
export function projectRevision(revisions: Record<string, number>): number {
  return revisions[PROJECT] ?? Math.max(0, ...Object.values(revisions))
}

/** What a `stage_update` says beyond the status. */
export function updateFields(stage: StageState): Record<string, unknown> {
  const message = messageOfStage(stage)
  return { status: liveStatus(stage.status), progress: stage.progress, ...(message && { message }) }
}

export function projectFields(state: ProjectState): Record<string, unknown> {
  const message = messageOfProject(state)
  return { status: state.status, progress: state.progress, ...(message && { message }) }
}

async function announceStage(
  stream: RedisStream,
  { projectId, stage }: { projectId: string; stage: StageState },
  revision: number | undefined,
): Promise<void> {
  if (!revision) return // nothing has ever happened to it
  await stream.status(
    { projectId, stage: stage.name },
    {
      revision,
      status: liveStatus(stage.status) ?? 'pending',
      fields: liveStatus(stage.status) ? updateFields(stage) : null,
      percent: stage.progress,
      message: messageOfStage(stage),
    },
  )
}

function messageOfStage({ status, reason, error, message }: StageState): string | null {
  if (status === 'failed') return error?.message ?? null
  return status === 'waiting' ? reason : message
}

function messageOfProject({ status, reason, error }: ProjectState): string | null {
  return status === 'failed' ? (error?.message ?? null) : reason
}
