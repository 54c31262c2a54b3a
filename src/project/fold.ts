/** The pure fold: journal records → state. It alone decides which record counts; writers only propose. */
import type { ArtifactState, ProjectState, StageState } from './project.ts'
import type { ClaimOwner, JournalRecord } from './records.ts'
import { projectStatus } from './status.ts'

/** What the fold knows of a stage beyond its visible state. */
export type StageInternals = {
  /** The claim that counts; null when nobody's does. */
  fence: string | null
  owner: ClaimOwner | null
  /** Bumped by rerun, so that remembered steps no longer fit. */
  take: number
}

export type Folded = {
  state: ProjectState
  internals: Record<string, StageInternals>
  /** Whether the stages behind a completed one follow by themselves. */
  continues: boolean
  /** Task ids handed out so far, with their stage. */
  tasks: Record<string, string>
}

export function emptyFold(): Folded {
  return { state: blankState(), internals: {}, continues: false, tasks: {} }
}

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

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>

function onCreated(folded: Folded, record: Of<'created'>): Folded {
  if (folded.state.id !== '') return folded
  const { id, pipeline, title, owner, batch_id, at } = record
  const input = 'value' in record.input ? record.input.value : null
  const input_file = 'file' in record.input ? record.input.file : null
  const stages = record.stages.map((s) => blankStage(s.name, s.queue))
  const about = { id, pipeline, title, owner, batch_id, input, input_file }
  const state = { ...blankState(), ...about, created_at: at, updated_at: at, stages }
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
  const stage = find(folded, record.stage)
  const known = folded.tasks[record.task_id]
  if (!stage || (stage.status !== 'pending' && stage.status !== 'waiting')) return folded
  if (known !== undefined) return folded
  const tasks = { ...folded.tasks, [record.task_id]: record.stage }
  const next = { ...folded, tasks, continues: record.then === 'continue' }
  return setStage(next, { ...stage, status: 'queued', reason: null, task_id: record.task_id, error: null })
}

/** A claim counts when it names the task and the fence that stand now; takeover is the writer's duty to justify. */
function onClaim(folded: Folded, record: Of<'claim'>): Folded {
  const stage = find(folded, record.stage)
  if (!stage || !isOnItsWay(stage) || stage.task_id !== record.task_id) return folded
  const mine = folded.internals[record.stage]!
  if (mine.fence !== record.supersedes) return folded
  const internals = { ...folded.internals, [record.stage]: { ...mine, fence: record.fence, owner: record.owner } }
  return setStage({ ...folded, internals }, {
    ...stage,
    status: 'running',
    reason: null,
    error: null,
    retry_at: null,
    attempts: stage.attempts + 1,
    started_at: stage.started_at ?? record.at,
    finished_at: null,
  })
}

/** Records of an attempt count only while its claim is the one that stands. */
function onFenced(folded: Folded, record: Exclude<JournalRecord, { type: Unfenced }>): Folded {
  const stage = find(folded, record.stage)
  if (!stage || stage.status !== 'running' || folded.internals[record.stage]!.fence !== record.fence) return folded
  switch (record.type) {
    case 'progress':
      return setStage(folded, { ...stage, progress: record.progress, message: record.message, last_progress_at: record.at })
    case 'artifact':
      return onArtifact(folded, record)
    case 'step': {
      const { name, key, result, files } = record
      const steps = [...stage.steps.filter((s) => s.name !== name), { name, status: 'completed' as const, key, result, files }]
      return setStage(folded, { ...stage, steps })
    }
    case 'published':
      return folded
    case 'completed':
      return onCompleted(folded, stage, record)
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

function onCompleted(folded: Folded, stage: StageState, record: Of<'completed'>): Folded {
  const { provider, model, degraded, usage } = record.credit
  return setStage(folded, {
    ...stage,
    status: 'completed',
    stale: false,
    progress: 100,
    message: null,
    finished_at: record.at,
    duration_ms: elapsed(stage.started_at, record.at),
    result: 'value' in record.result ? record.result.value : null,
    result_artifact: 'artifact' in record.result ? record.result.artifact : null,
    provider,
    model,
    degraded,
    usage,
  })
}

function failedStage(stage: StageState, record: Of<'failed'>): StageState {
  const failed = { ...stage, error: record.error, message: null }
  if (record.retry_at) return { ...failed, status: 'queued', retries: stage.retries + 1, retry_at: record.retry_at }
  return { ...failed, status: 'failed', finished_at: record.at, duration_ms: elapsed(stage.started_at, record.at) }
}

function releasedStage(stage: StageState, record: Of<'released'>): StageState {
  if (record.reason === 'recycle') return { ...stage, status: 'queued', message: null }
  return { ...stage, status: 'waiting', reason: record.reason, message: null }
}

/** What is on its way is cancelled; when nothing is, the stage that would come next. */
function onCancelled(folded: Folded, record: Of<'cancelled'>): Folded {
  const { stages } = folded.state
  const open = stages.filter((s) => s.status !== 'completed' && s.status !== 'failed')
  const hit = open.some(isOnItsWay) ? open.filter(isOnItsWay) : open.slice(0, 1)
  return mapStages(folded, (s) => {
    if (!hit.includes(s)) return { stage: s }
    return revoke({ ...s, status: 'cancelled', reason: null, retry_at: null, finished_at: record.at })
  })
}

function onReopened(folded: Folded): Folded {
  const next = mapStages(folded, (s) => {
    if (s.status !== 'failed' && s.status !== 'cancelled' && s.status !== 'waiting') return { stage: s }
    return revoke({ ...s, status: 'pending', reason: null, error: null, retries: 0, retry_at: null, finished_at: null })
  })
  return { ...next, continues: true }
}

function onRerun(folded: Folded, record: Of<'rerun'>): Folded {
  const at = folded.state.stages.findIndex((s) => s.name === record.stage)
  if (at < 0 || folded.state.stages.some((s) => s.status === 'queued' || s.status === 'running')) return folded
  const next = mapStages(folded, (s, i) => {
    if (i === at) return revoke(blankStage(s.name, s.queue), { take: true })
    if (i < at || s.status !== 'completed') return { stage: s }
    return record.and_following ? revoke({ ...s, ...UNDONE }) : { stage: { ...s, stale: true } }
  })
  return { ...next, continues: true }
}

/** What was on its way behind the damaged stage steps back; it comes again when that one is done. */
function onDemoted(folded: Folded, record: Of<'demoted'>): Folded {
  const at = folded.state.stages.findIndex((s) => s.name === record.stage)
  if (at < 0 || folded.state.stages[at]!.status !== 'completed') return folded
  const next = mapStages(folded, (s, i) => {
    if (i === at || (i > at && isOnItsWay(s))) return revoke({ ...s, ...UNDONE, reason: null, retry_at: null })
    return { stage: s }
  })
  const artifacts = next.state.artifacts.filter((a) => !record.missing.includes(a.name))
  return { ...next, state: { ...next.state, artifacts } }
}

/** A completed stage that has to run again, with its remembered steps. */
const UNDONE = { status: 'pending', stale: false, progress: 0, result: null, result_artifact: null, task_id: null, started_at: null, finished_at: null, duration_ms: null } as const

type Mapped = { stage: StageState; internals?: (old: StageInternals) => StageInternals }

/** Takes the claim away: whoever holds it can no longer write. */
function revoke(stage: StageState, { take = false } = {}): Mapped {
  return { stage, internals: (old) => ({ fence: null, owner: null, take: old.take + (take ? 1 : 0) }) }
}

function mapStages(folded: Folded, change: (stage: StageState, index: number) => Mapped): Folded {
  const internals = { ...folded.internals }
  const stages = folded.state.stages.map((old, index) => {
    const result = change(old, index)
    if (result.internals) internals[old.name] = result.internals(internals[old.name]!)
    return result.stage
  })
  return { ...folded, internals, state: { ...folded.state, stages } }
}

function setStage(folded: Folded, stage: StageState): Folded {
  const stages = folded.state.stages.map((s) => (s.name === stage.name ? stage : s))
  return { ...folded, state: { ...folded.state, stages } }
}

function find(folded: Folded, name: string): StageState | undefined {
  return folded.state.stages.find((s) => s.name === name)
}

/** A task that has begun and not ended; all of these can be claimed, cancelled or lost. */
function isOnItsWay(stage: StageState): boolean {
  return stage.status === 'queued' || stage.status === 'running' || stage.status === 'waiting'
}

function elapsed(from: string | null, to: string): number | null {
  return from ? Math.max(0, Date.parse(to) - Date.parse(from)) : null
}

function blankStage(name: string, queue: string): StageState {
  return {
    name,
    queue,
    status: 'pending',
    reason: null,
    stale: false,
    progress: 0,
    message: null,
    attempts: 0,
    retries: 0,
    retry_at: null,
    task_id: null,
    started_at: null,
    finished_at: null,
    duration_ms: null,
    last_progress_at: null,
    steps: [],
    result: null,
    result_artifact: null,
    error: null,
    provider: null,
    model: null,
    degraded: [],
    usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
  }
}

function blankState(): ProjectState {
  return {
    version: 1,
    id: '',
    pipeline: '',
    title: '',
    owner: '',
    batch_id: null,
    status: 'pending',
    reason: null,
    progress: 0,
    created_at: '',
    updated_at: '',
    revision: 0,
    input: null,
    input_file: null,
    error: null,
    stages: [],
    artifacts: [],
  }
}
