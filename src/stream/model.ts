/** What is known of a project's stages now: from the journal, from Redis, and from each entry that comes. */
import { ENDED, type StageState, type StageStatus } from '../project/project.ts'
import { projectFields, updateFields } from './announce.ts'
import {
  type DoneMetadata,
  type EntryKind,
  isLasting,
  isText,
  type LiveStatus,
  type StreamEntry,
  stageStatus,
} from './events.ts'
import type { RingEntry } from './ring.ts'
import { announcedStatus, type Snapshot } from './snapshot.ts'
import type { ProjectRecord } from './source.ts'

export type StageModel = {
  name: string
  status: StageStatus
  text: string
  /** Of the last `stage_update`. */
  update: Record<string, unknown>
  /** Of the last `progress`. */
  progress: Record<string, unknown> | undefined
  done: DoneMetadata | undefined
}

export type Model = { stages: Map<string, StageModel>; project: Record<string, unknown> }

/** Without a snapshot it is what the disk says; `known`: texts of stages that still run, which the disk has not. */
export function createModel(record: ProjectRecord, snapshot?: Snapshot, known?: Model): Model {
  const stages = record.state.stages.map((stage) => {
    const text = record.texts[stage.name] ?? known?.stages.get(stage.name)?.text ?? ''
    return [stage.name, snapshot ? announced(stage, text, snapshot) : fromDisk(stage, text)] as const
  })
  return { stages: new Map(stages), project: projectFields(record.state) }
}

/** True when no more will come: the project has ended, and each completed stage has said so. */
export function isOver({ stages, project }: Model): boolean {
  if (!ENDED.has(project.status as StageStatus)) return false
  return [...stages.values()].every((stage) => stage.status !== 'completed' || stage.done !== undefined)
}

/** Changes the model; undefined when the entry does not fit, because one before it was missed. */
export function applyEntry(model: Model, entry: StreamEntry): RingEntry | undefined {
  if (entry.kind === 'project') {
    model.project = entry.fields
    return entry
  }
  const stage = model.stages.get(entry.stage) ?? addStage(model, entry.stage)
  if (!isText(entry)) applyFields(stage, entry.kind, entry.fields)
  else if (!applyText(stage, entry.kind === 'snapshot', entry)) return undefined
  return isLasting(entry) ? { ...entry, whole: stage.text } : entry
}

/**
 * A new claim removes the `done` of the one before, so what still counts as running may have told its end:
 * its status is announced a moment later.
 */
export function hasEnd(status: StageStatus): boolean {
  return status === 'completed' || status === 'running'
}

/** What `done` says of a stage whose journal is all that is left. */
export function metadataOf({ duration_ms, usage, model, provider }: StageState): DoneMetadata {
  const tokens_used = usage.input_tokens + usage.output_tokens
  return { latency_ms: duration_ms ?? 0, tokens_used, model: model ?? provider ?? '' }
}

function fromDisk(stage: StageState, text: string): StageModel {
  const { name, status } = stage
  const done = status === 'completed' ? metadataOf(stage) : undefined
  return { name, status, text, update: updateFields(stage), progress: undefined, done }
}

/** Redis decides, for what is still to come follows from what it has; the disk fills in what it has not. */
function announced(stage: StageState, text: string, { meta, texts }: Snapshot): StageModel {
  const status = announcedStatus(meta, stage.name)
  if (status === undefined || status === 'pending')
    return { ...fromDisk(stage, ''), status: 'pending', done: undefined }
  const latest = parsed(meta[`prog:${stage.name}`])
  const counted = latest !== undefined && 'current' in latest
  const isSame = stageStatus(status) === stage.status
  const own = isSame ? updateFields(stage) : {}
  const done = parsed(meta[`done:${stage.name}`])?.metadata as DoneMetadata | undefined
  return {
    name: stage.name,
    status: stageStatus(status),
    text: texts[stage.name] || (stageStatus(status) === 'completed' ? text : ''),
    update: { ...own, ...(stageStatus(status) === 'running' && !counted && latest), status },
    progress: counted ? latest : undefined,
    done: hasEnd(stageStatus(status)) ? done : undefined,
  }
}

function parsed(json: string | undefined): Record<string, unknown> | undefined {
  return json === undefined ? undefined : JSON.parse(json)
}

function addStage(model: Model, name: string): StageModel {
  const stage: StageModel = { name, status: 'pending', text: '', update: {}, progress: undefined, done: undefined }
  model.stages.set(name, stage)
  return stage
}

function applyText(stage: StageModel, replaces: boolean, { offset, text }: { offset: number; text: string }): boolean {
  if (!replaces && offset !== stage.text.length) return false
  stage.text = replaces ? text : stage.text + text
  if (stage.status === 'pending') stage.status = 'running'
  return true
}

function applyFields(stage: StageModel, kind: EntryKind, fields: Record<string, unknown>): void {
  if (kind === 'progress') stage.progress = fields
  if (kind === 'done') stage.done = fields.metadata as DoneMetadata
  if (kind !== 'update') return
  stage.update = fields
  stage.status = stageStatus(fields.status as LiveStatus)
  if (fields.status === 'restarted') {
    stage.progress = undefined
    stage.done = undefined
  }
}
