/** What people's requests make of a project: cancel, resume, rerun, and stepping back for a lost file. */
import { type Folded, type Mapped, mapStages, type Of, revoke } from './folded.ts'
import type { ArtifactState, StageState } from './project.ts'
import { blankStage, cancelledStage, isOnItsWay, queuedStage, UNDONE } from './stage.ts'

/** What is on its way is cancelled; when nothing is and nothing failed, the stage that would come next. */
export function onCancelled(folded: Folded, record: Of<'cancelled'>): Folded {
  const { stages } = folded.state
  if (stages.some((s) => s.status === 'failed') && !stages.some(isOnItsWay)) return folded
  const open = stages.filter((s) => s.status !== 'completed' && s.status !== 'failed')
  const hit = open.some(isOnItsWay) ? open.filter(isOnItsWay) : open.slice(0, 1)
  return mapStages(folded, (s) => {
    return hit.includes(s) ? revoke(cancelledStage(s, record.at)) : { stage: s }
  })
}

export function onReopened(folded: Folded): Folded {
  const next = mapStages(folded, (s) => (STOPPED.has(s.status) ? stepBack(s) : { stage: s }))
  return { ...next, continues: true }
}

const STOPPED: ReadonlySet<StageState['status']> = new Set(['failed', 'cancelled', 'waiting'])

/** Not yet done, with the steps that it has. */
function stepBack(stage: StageState): Mapped {
  return revoke({
    ...stage,
    status: 'pending',
    reason: null,
    error: null,
    retries: 0,
    waits: 0,
    retry_at: null,
    wait_until: null,
    finished_at: null,
  })
}

/**
 * What waits behind it steps back: it needs the new result, and comes again when that is there. An input of their own
 * is of the stages' earlier runs, and gone with them; the following ones keep what they remember for equal work.
 */
export function onRerun(folded: Folded, record: Of<'rerun'>): Folded {
  const at = folded.state.stages.findIndex((s) => s.name === record.stage)
  if (at < 0 || folded.state.stages.some((s) => s.status === 'queued' || s.status === 'running')) return folded
  const next = mapStages(folded, (s, i) => {
    if (i === at) return revoke(blankStage(s.name, s.queue), { take: true })
    if (i > at && s.status === 'waiting') return stepBack(record.and_following ? { ...s, own_input: null } : s)
    if (i < at || s.status !== 'completed') return { stage: s }
    return record.and_following ? revoke({ ...s, ...UNDONE, own_input: null }) : { stage: { ...s, stale: true } }
  })
  return { ...next, continues: true }
}

/** The stage alone, anew; nothing follows, and what had stopped elsewhere counts as not yet done. */
export function onExecuted(folded: Folded, record: Of<'executed'>): Folded {
  const { stage, task_id, input, request_id } = record
  if (task_id in folded.tasks || (request_id !== null && request_id in folded.requests)) return folded
  const reset = onRerun(folded, { ...record, type: 'rerun', stage, and_following: false })
  if (reset === folded) return folded
  const next = mapStages(onReopened(reset), (s) => {
    return { stage: s.name === stage ? queuedStage({ ...s, own_input: input }, task_id) : s }
  })
  const requests = request_id === null ? next.requests : { ...next.requests, [request_id]: task_id }
  return { ...next, requests, continues: false }
}

/**
 * What was on its way behind the damaged stage steps back; it comes again when that one is done. All keep inputs of
 * their own: the lost file is to be made again as it was, from the same.
 */
export function onDemoted(folded: Folded, record: Of<'demoted'>): Folded {
  const at = folded.state.stages.findIndex((s) => s.name === record.stage)
  if (at < 0 || folded.state.stages[at]!.status !== 'completed') return folded
  const next = mapStages(folded, (s, i) => {
    if (i === at || (i > at && isOnItsWay(s))) return revoke({ ...s, ...UNDONE })
    return { stage: s }
  })
  const isGone = ({ name }: ArtifactState) => record.missing.includes(name)
  const artifacts = next.state.artifacts.filter((a) => !isGone(a))
  const lost = [...folded.lost, ...next.state.artifacts.filter(isGone).map(({ file }) => file)]
  return { ...next, lost, state: { ...next.state, artifacts } }
}
