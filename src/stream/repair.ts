/** Makes Redis say what the journal says, when whoever should have announced it has died or Redis has forgotten. */
import type { Redis } from 'ioredis'
import { ENDED, type StageState } from '../project/project.ts'
import type { RedisKeys } from '../redis/keys.ts'
import { announceProject, announceStages, projectRevision } from './announce.ts'
import { PROJECT } from './events.ts'
import { metadataOf } from './model.ts'
import type { RedisStream } from './redis-stream.ts'
import { type Marks, readMarks } from './snapshot.ts'
import type { ProjectRecord, ProjectSource } from './source.ts'

export type RepairDeps = {
  redis: Redis
  keys: RedisKeys
  stream: RedisStream
  source: ProjectSource
  now: () => number
}

/** So long an attempt has to tell its end by itself. */
const DONE_GRACE_MS = 3_000

/** The journal's present record. Rejects while Redis is away. */
export async function repair(deps: RepairDeps, id: string): Promise<ProjectRecord | undefined> {
  // The revisions first: a state may be newer than what it is announced as, never older.
  const revisions = await deps.source.revisions(id)
  const record = await deps.source.read(id)
  if (!record || !revisions) return record
  const stages = record.state.stages.map((stage) => stage.name)
  const [marks] = await readMarks(deps.redis, deps.keys, [{ id, stages }])
  if (!marks && ENDED.has(record.state.status)) return record // it is shown from the disk
  const isNews = !marks || isBehind(marks, revisions)
  if (isNews) await announceStages(deps.stream, record.state, revisions)
  for (const stage of unfinished(record, marks, deps.now())) await finish(deps, record, { stage, revisions })
  // A project's end is the last that viewers hear: stages that are about to tell theirs are waited for.
  const isEarly = ENDED.has(record.state.status) && isTelling(record, marks, deps.now())
  if (isNews && !isEarly) await announceProject(deps.stream, record.state, revisions)
  return record
}

/** True when the journal knows of a change that was never announced. */
export function isBehind({ revisions }: Marks, journal: Record<string, number>): boolean {
  const expected = { ...journal, [PROJECT]: projectRevision(journal) }
  return Object.entries(expected).some(([name, revision]) => revision > (revisions[name] ?? Infinity))
}

/** Completed stages that have not said so, and whose attempt will not any more. */
export function unfinished({ state }: ProjectRecord, marks: Marks | undefined, nowMs: number): StageState[] {
  return state.stages.filter(({ name, status, finished_at }) => {
    if (status !== 'completed' || marks?.done.has(name)) return false
    return finished_at === null || nowMs - Date.parse(finished_at) > DONE_GRACE_MS
  })
}

/** A completed stage has not said so, and its attempt still may. */
function isTelling({ state }: ProjectRecord, marks: Marks | undefined, nowMs: number): boolean {
  const silent = state.stages.filter(({ name, status }) => status === 'completed' && !marks?.done.has(name))
  return silent.some(({ finished_at }) => finished_at !== null && nowMs - Date.parse(finished_at) <= DONE_GRACE_MS)
}

async function finish(
  { stream }: RepairDeps,
  { state, texts }: ProjectRecord,
  { stage, revisions }: { stage: StageState; revisions: Record<string, number> },
): Promise<void> {
  const end = { revision: revisions[stage.name] ?? 0, text: texts[stage.name], metadata: metadataOf(stage) }
  await stream.finish({ projectId: state.id, stage: stage.name }, end)
}
