/** The pure fold: journal records → state. It alone decides which record counts; writers only propose. */
import { acquit, emptyFold, type Folded, findStage, NO_INTERNALS, type Of, setStage } from './folded.ts'
import { type ArtifactState, ENDED, type ProjectState, type StageState } from './project.ts'
import type { JournalRecord } from './records.ts'
import { onCancelled, onDemoted, onExecuted, onReopened, onRerun } from './requests.ts'
import {
  blankStage,
  cancelledStage,
  chargedStage,
  completedStage,
  crashedStage,
  deferredStage,
  failedStage,
  isOnItsWay,
  overwrittenStage,
  queuedStage,
  releasedStage,
  startedStage,
  steppedStage,
} from './stage.ts'
import { projectStatus } from './status.ts'

/** The state after `record`. A record that its rule does not accept only counts as a revision. */
export function applyRecord(folded: Folded, record: JournalRecord): Folded {
  const changed = accept(folded, record)
  const revision = folded.state.revision + 1
  if (changed === folded) return { ...folded, state: { ...folded.state, revision } }
  const overall = projectStatus(changed.state.stages, changed.continues)
  const state = { ...changed.state, ...overall, revision, updated_at: record.at }
  return noteChanges(folded.state, { ...changed, state })
}

/** Remembers where statuses changed, and how every task stands: both follow from the stages before and after. */
function noteChanges(before: ProjectState, after: Folded): Folded {
  const { revision, status, progress } = after.state
  const internals = { ...after.internals }
  const tasks = { ...after.tasks }
  for (const [i, stage] of after.state.stages.entries()) {
    const was = before.stages[i]
    if (was === stage) continue
    if (was && isTakenAway(was, stage)) tasks[was.task_id!] = cancelledStage(was, after.state.updated_at)
    if (isAnnounced(was, stage)) internals[stage.name] = { ...internals[stage.name]!, revision }
    if (stage.task_id !== null && stage.status !== 'pending') tasks[stage.task_id] = stage
  }
  const moved = status !== before.status || progress !== before.progress
  return { ...after, internals, tasks, projectRevision: moved ? revision : after.projectRevision }
}

/** Its task had not ended and goes no further: whoever asks for it has to hear of an end. */
function isTakenAway(was: StageState, is: StageState): boolean {
  return was.task_id !== null && isOnItsWay(was) && (is.task_id !== was.task_id || is.status === 'pending')
}

function isAnnounced(was: StageState | undefined, is: StageState): boolean {
  return was?.status !== is.status || was.reason !== is.reason || was.attempts !== is.attempts
}

function accept(folded: Folded, record: JournalRecord): Folded {
  if (record.type === 'created') return onCreated(folded, record)
  if (record.type === 'recovered') return onRecovered(folded, record)
  if (folded.state.id === '') return folded // nothing counts before the beginning
  switch (record.type) {
    case 'cancelled':
      return onCancelled(folded, record)
    case 'reopened':
      return onReopened(folded)
    case 'rerun':
      return onRerun(folded, record)
    case 'demoted':
      return onDemoted(folded, record)
    case 'queued':
      return onQueued(folded, record)
    case 'executed':
      return onExecuted(folded, record)
    case 'claim':
      return onClaim(folded, record)
    default:
      return onFenced(folded, record)
  }
}

function onCreated(folded: Folded, record: Of<'created'>): Folded {
  if (folded.state.id !== '') return folded
  const { id, pipeline, title, owner, batch_id, at } = record
  const input = 'value' in record.input ? record.input.value : null
  const input_file = 'file' in record.input ? record.input.file : null
  const stages = record.stages.map((s) => blankStage(s.name, s.queue))
  const about = { id, pipeline, title, owner, batch_id, input, input_file }
  const state = { ...emptyFold().state, ...about, created_at: at, updated_at: at, stages }
  const internals = Object.fromEntries(stages.map((s) => [s.name, NO_INTERNALS]))
  return { ...folded, state, internals, continues: record.autostart }
}

/** What was running when the journal was lost has no claim any more: it comes again, under another task. */
function onRecovered(folded: Folded, record: Of<'recovered'>): Folded {
  if (folded.state.id !== '') return folded
  const stages = record.state.stages.map((s) => (isOnItsWay(s) ? { ...s, status: 'pending' as const } : s))
  const internals = Object.fromEntries(stages.map((s) => [s.name, { ...NO_INTERNALS, files: filesOf(record, s) }]))
  const ended = record.state.stages.map((s) => (ENDED.has(s.status) ? s : cancelledStage(s, record.at)))
  const tasks = Object.fromEntries(ended.flatMap((s) => (s.task_id ? [[s.task_id, s]] : [])))
  const state = { ...record.state, stages, revision: folded.state.revision }
  return { ...folded, state, internals, continues: record.state.status !== 'pending', tasks }
}

/** What another stage has replaced is not known any more. */
function filesOf({ state }: Of<'recovered'>, { name }: StageState): Record<string, string> {
  return Object.fromEntries(state.artifacts.filter((a) => a.stage === name).map((a) => [a.name, a.sha256]))
}

/** One stage at a time: of requests that were made at once the first counts. */
function onQueued(folded: Folded, record: Of<'queued'>): Folded {
  const stage = findStage(folded, record.stage)
  if (!stage || (stage.status !== 'pending' && stage.status !== 'waiting')) return folded
  if (folded.state.stages.some((s) => s !== stage && isOnItsWay(s))) return folded
  if (record.task_id in folded.tasks) return folded
  return setStage({ ...folded, continues: record.continues }, queuedStage(stage, record.task_id))
}

/** A claim counts when it names the task and the fence that stand now; takeover is the writer's duty to justify. */
function onClaim(folded: Folded, record: Of<'claim'>): Folded {
  const stage = findStage(folded, record.stage)
  if (!stage || !isOnItsWay(stage) || stage.task_id !== record.task_id) return folded
  const mine = folded.internals[record.stage]!
  if (mine.fence !== record.supersedes) return folded
  const { fence, owner } = record
  const claimed = { ...mine, fence, owner, claimRevision: folded.state.revision + 1 }
  const internals = { ...folded.internals, [record.stage]: claimed }
  return setStage({ ...folded, internals }, startedStage(stage, record.at))
}

/** Records of an attempt count only while its claim is the one that stands. */
function onFenced(folded: Folded, record: Exclude<JournalRecord, { type: Unfenced }>): Folded {
  const stage = findStage(folded, record.stage)
  if (!stage || folded.internals[record.stage]!.fence !== record.fence) return folded
  if (stage.status !== 'running' && !isSetAside(stage, record)) return folded
  switch (record.type) {
    case 'progress':
      return setStage(folded, {
        ...stage,
        progress: record.progress,
        message: record.message,
        last_progress_at: record.at,
      })
    case 'artifact':
      return onArtifact(folded, record)
    case 'step':
      return setStage(outlive(folded, stage.name), steppedStage(stage, record))
    case 'published':
      return folded
    case 'spent':
      return setStage(folded, chargedStage(stage, record.usage))
    case 'intent':
    case 'called':
      return onCall(folded, record)
    case 'deferred':
      return setStage(folded, deferredStage(stage, record))
    case 'completed':
      return setStage(acquit(folded, stage.name), completedStage(stage, record))
    case 'failed':
      return setStage(record.retry_at ? folded : acquit(folded, stage.name), failedStage(stage, record))
    case 'crashed':
      return onCrashed(setStage(folded, crashedStage(stage, record)), record)
    case 'released':
      return setStage(folded, releasedStage(stage, record))
  }
}

/** By a start that resumes nothing: what had only waited for its turn goes on by itself no more. */
function isSetAside({ status }: StageState, record: JournalRecord): boolean {
  const wouldGoOn = status === 'queued' || status === 'waiting'
  return wouldGoOn && record.type === 'released' && record.reason === 'interrupted'
}

type Unfenced =
  | 'created'
  | 'recovered'
  | 'cancelled'
  | 'reopened'
  | 'rerun'
  | 'demoted'
  | 'queued'
  | 'executed'
  | 'claim'

function onArtifact(folded: Folded, record: Of<'artifact'>): Folded {
  const { name, stage, mime, bytes, sha256, file } = record
  const artifact: ArtifactState = { name, stage, mime, bytes, sha256, file }
  const previous = folded.state.artifacts.find((a) => a.name === name)
  const artifacts = [...folded.state.artifacts.filter((a) => a !== previous), artifact]
  const mine = folded.internals[stage]!
  const internals = { ...folded.internals, [stage]: { ...mine, files: { ...mine.files, [name]: sha256 } } }
  const next = { ...folded, internals, state: { ...folded.state, artifacts } }
  return previous?.sha256 === sha256 ? next : setStage(next, overwrittenStage(findStage(next, stage)!, name))
}

/** A call that was begun counts as lost until its answer is on disk, or the provider is known to have refused it. */
function onCall(folded: Folded, record: Of<'intent'> | Of<'called'>): Folded {
  const mine = folded.internals[record.stage]!
  const { [record.request_key]: begun = 0, ...others } = mine.intents
  const intents = record.type === 'intent' ? { ...others, [record.request_key]: begun + 1 } : others
  return { ...folded, internals: { ...folded.internals, [record.stage]: { ...mine, intents } } }
}

/** It has come further than where its workers ended. */
function outlive(folded: Folded, stage: string): Folded {
  const mine = folded.internals[stage]!
  if (mine.deaths.length === 0) return folded
  const outlived = mine.outlived + mine.deaths.length
  return { ...folded, internals: { ...folded.internals, [stage]: { ...mine, deaths: [], outlived } } }
}

/** A suspect runs alone next, whether it was charged or only near: a second death then has one possible cause. */
function onCrashed(folded: Folded, { stage, exit, charged }: Of<'crashed'>): Folded {
  const mine = folded.internals[stage]!
  const deaths = charged ? [...mine.deaths, exit] : mine.deaths
  return { ...folded, internals: { ...folded.internals, [stage]: { ...mine, deaths, alone: true } } }
}
