/** The pure fold: journal records → state. It alone decides which record counts; writers only propose. */
import { emptyFold, type Folded, findStage, type Of, setStage } from './folded.ts'
import type { ArtifactState } from './project.ts'
import type { JournalRecord } from './records.ts'
import { onCancelled, onDemoted, onReopened, onRerun } from './requests.ts'
import {
  blankStage,
  completedStage,
  failedStage,
  isOnItsWay,
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
  const { status, reason, progress, error } = projectStatus(changed.state.stages)
  const state = { ...changed.state, status, reason, progress, error, revision, updated_at: record.at }
  return { ...changed, state }
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
  const internals = Object.fromEntries(stages.map((s) => [s.name, { fence: null, owner: null, take: 0 }]))
  return { ...folded, state, internals, continues: record.autostart }
}

/** What was running when the journal was lost has no claim any more: it waits for the next one. */
function onRecovered(folded: Folded, record: Of<'recovered'>): Folded {
  if (folded.state.id !== '') return folded
  const stages = record.state.stages.map((s) => (isOnItsWay(s) ? { ...s, status: 'pending' as const } : s))
  const internals = Object.fromEntries(stages.map((s) => [s.name, { fence: null, owner: null, take: 0 }]))
  const tasks = Object.fromEntries(stages.filter((s) => s.task_id).map((s) => [s.task_id, s.name]))
  const state = { ...record.state, stages, revision: folded.state.revision }
  return { state, internals, continues: record.state.status !== 'pending', tasks }
}

function onQueued(folded: Folded, record: Of<'queued'>): Folded {
  const stage = findStage(folded, record.stage)
  const known = folded.tasks[record.task_id]
  if (!stage || (stage.status !== 'pending' && stage.status !== 'waiting')) return folded
  if (known !== undefined) return folded
  const tasks = { ...folded.tasks, [record.task_id]: record.stage }
  const next = { ...folded, tasks, continues: record.continues }
  return setStage(next, { ...stage, status: 'queued', reason: null, task_id: record.task_id, error: null })
}

/** A claim counts when it names the task and the fence that stand now; takeover is the writer's duty to justify. */
function onClaim(folded: Folded, record: Of<'claim'>): Folded {
  const stage = findStage(folded, record.stage)
  if (!stage || !isOnItsWay(stage) || stage.task_id !== record.task_id) return folded
  const mine = folded.internals[record.stage]!
  if (mine.fence !== record.supersedes) return folded
  const internals = { ...folded.internals, [record.stage]: { ...mine, fence: record.fence, owner: record.owner } }
  return setStage({ ...folded, internals }, startedStage(stage, record.at))
}

/** Records of an attempt count only while its claim is the one that stands. */
function onFenced(folded: Folded, record: Exclude<JournalRecord, { type: Unfenced }>): Folded {
  const stage = findStage(folded, record.stage)
  if (stage?.status !== 'running' || folded.internals[record.stage]!.fence !== record.fence) return folded
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
      return setStage(folded, steppedStage(stage, record))
    case 'published':
      return folded
    case 'completed':
      return setStage(folded, completedStage(stage, record))
    case 'failed':
      return setStage(folded, failedStage(stage, record))
    case 'released':
      return setStage(folded, releasedStage(stage, record))
  }
}

type Unfenced = 'created' | 'recovered' | 'cancelled' | 'reopened' | 'rerun' | 'demoted' | 'queued' | 'claim'

function onArtifact(folded: Folded, record: Of<'artifact'>): Folded {
  const { name, stage, mime, bytes, sha256, file } = record
  const artifact: ArtifactState = { name, stage, mime, bytes, sha256, file }
  const artifacts = [...folded.state.artifacts.filter((a) => a.name !== name), artifact]
  return { ...folded, state: { ...folded.state, artifacts } }
}
