/** The first frames of a viewer: who it is connected to, and all that was said before, exactly. */
import type { StageStatus } from '../project/project.ts'
import { type LiveStatus, liveStatus } from './events.ts'
import type { Item } from './frames.ts'
import { hasEnd, type Model, type StageModel } from './model.ts'

export type Scene = {
  projectId: string
  channel: string
  epoch: string
  head: number
  model: Model
  stage: string | undefined
  timestamp: number
}

/** `seq` only when nothing else says how far the client has everything: it resumed there. */
export function connectedMessage(scene: Scene, recovered: boolean, seq?: number): Record<string, unknown> {
  const { projectId, channel, epoch } = scene
  const stages = Object.fromEntries(stagesOf(scene).map(({ name, status }): [string, StageStatus] => [name, status]))
  const about = { type: 'connected', channel, project_id: projectId, ...(seq !== undefined && { seq }) }
  return { ...about, epoch, recovered, stages }
}

/**
 * Each message stands for all of the stream, so a client that is cut off between them starts again.
 * `replaces`: the client may hold text of another epoch, so an empty one is sent, too.
 */
export function catchUpItems(scene: Scene, { v, replaces }: { v: 1 | 2; replaces: boolean }): Item[] {
  const common = { project_id: scene.projectId, timestamp: scene.timestamp }
  const ofStages = stagesOf(scene).flatMap((stage) =>
    stageMessages(stage, { v, replaces }).map((message) => ({ ...message, ...common })),
  )
  const project = scene.stage === undefined ? [{ type: 'project_update', ...scene.model.project, ...common }] : []
  return [connectedMessage(scene, false), ...ofStages, ...project].map((message) => ({
    message,
    first: 1,
    last: scene.head,
  }))
}

function stagesOf({ model, stage }: Scene): StageModel[] {
  return [...model.stages.values()].filter(({ name }) => stage === undefined || name === stage)
}

function stageMessages(model: StageModel, { v, replaces }: { v: 1 | 2; replaces: boolean }): Record<string, unknown>[] {
  const { name: stage, status, text, update, progress, done } = model
  const messages: Record<string, unknown>[] = []
  if (text !== '' || replaces) {
    const full = v === 1 && { full_text: text }
    messages.push({ type: 'token', content: text, ...full, offset: 0, snapshot: true, stage })
  }
  if (done && hasEnd(status)) return [...messages, { type: 'done', stage, full_text: text, metadata: done }]
  const live = (update.status as LiveStatus | undefined) ?? liveStatus(status)
  if (status !== 'pending' && live) messages.push({ type: 'stage_update', stage, ...update, status: live })
  if (status === 'running' && progress) messages.push({ type: 'progress', stage, ...progress })
  return messages
}
