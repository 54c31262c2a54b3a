/** Taking a stage: the claim is written first, and whether it won is read back before any work. */
import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Attempt, createAttempt } from './attempt.ts'
import { findStage } from './folded.ts'
import type { ClaimOwner } from './records.ts'
import type { Project } from './store.ts'

export type ClaimRequest = { stage: string; taskId: string; owner: ClaimOwner; isHeld: (owner: ClaimOwner) => boolean }

/**
 * Claims a stage, or says why not: `held` (its owner lives), `stale` (another task, or nothing to do),
 * `lost` (somebody else was faster). Writes the claim, then folds again before anything is done. A claim
 * that was written but could not be flushed stands, and only its owner can give it up: see `Attempt.fault`.
 */
export async function claimStage(
  project: Project,
  request: ClaimRequest,
): Promise<Attempt | 'held' | 'stale' | 'lost'> {
  const before = project.read()
  const stage = findStage(before, request.stage)
  if (!stage || stage.task_id !== request.taskId || !CLAIMABLE.has(stage.status)) return 'stale'
  const { fence: supersedes, owner } = before.internals[stage.name]!
  if (stage.status === 'running' && owner && request.isHeld(owner)) return 'held'
  const fence = randomUUID()
  const { stage: name, taskId: task_id, owner: me } = request
  const record = { type: 'claim', stage: name, task_id, fence, supersedes, owner: me } as const
  const fault = await project.append(record).then(
    () => null,
    (error: unknown) => ({ error }),
  )
  const won = project.read().internals[name]!.fence === fence
  if (fault && !won) throw fault.error
  if (!won) return 'lost'
  await removeDeadWork(project, name, fence)
  return createAttempt(project, { stage: name, fence, fault })
}

const CLAIMABLE = new Set(['queued', 'running', 'waiting'])

/** Attempts that were killed leave their private folders behind. */
async function removeDeadWork(project: Project, stage: string, fence: string): Promise<void> {
  const mine = `${stage}.${fence.slice(0, 8)}`
  const names = await readdir(project.paths.work).catch(() => [] as string[]) // no folder: nothing was left
  const dead = names.filter((n) => n.startsWith(`${stage}.`) && n !== mine)
  await Promise.all(dead.map((n) => rm(join(project.paths.work, n), { recursive: true, force: true })))
}
