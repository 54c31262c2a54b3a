/** Taking a stage: the claim is written first, and whether it won is read back before any work. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { toAppError } from '../lib/errors.ts'
import { type Attempt, createAttempt } from './attempt.ts'
import { type Folded, findStage } from './folded.ts'
import type { ClaimOwner } from './records.ts'
import type { Project } from './store.ts'
import { removeDeadWork } from './work.ts'

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
  const folded = await readBack(project)
  const won = folded.internals[name]!.fence === fence
  if (fault && !won) throw fault.error
  if (!won) return 'lost'
  const attempt = createAttempt(project, { stage: name, fence, fault, folded })
  await removeDeadWork(project, name).catch(() => {}) // the claim stands, and the next one tries again
  return attempt
}

const CLAIMABLE = new Set(['queued', 'running', 'waiting'])

const READ_AGAIN_MS = 1_000

/** A claim may stand by now, and with a living owner nobody else would take it: whether it does has to be learnt. */
async function readBack(project: Project): Promise<Folded> {
  for (;;) {
    try {
      return project.read()
    } catch (error) {
      if (toAppError(error).code === 'not_found') throw error // deleted, and the claim with it
      await delay(READ_AGAIN_MS, undefined, { ref: false })
    }
  }
}
