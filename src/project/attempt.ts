/** One attempt at one stage: a claim that fences every write it makes. */
import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../lib/errors.ts'
import { ensureFolder, writeSynced } from '../lib/files.ts'
import { artifactPath, isWhole, placeArtifact } from './artifacts.ts'
import type { Folded } from './folded.ts'
import type { ArtifactState, StageError, StageState } from './project.ts'
import type { ClaimOwner, Credit, RecordBody, ReleaseReason, StoredValue } from './records.ts'
import { INLINE_LIMIT, type Project } from './store.ts'

export type Attempt = {
  readonly project: Project
  readonly stage: string
  readonly fence: string
  /** 1 for the first start; those after a crash count. */
  readonly number: number
  readonly take: number
  /** The attempt's private folder. */
  readonly work: string
  /** False once the claim was taken over or revoked: whatever is written then does not count. */
  isCurrent(): boolean
  progress(progress: number, message: string | null): Promise<void>
  putArtifact(
    name: string,
    source: { path: string } | { data: string | Uint8Array },
    mime: string,
  ): Promise<ArtifactState>
  /** The remembered value of a step whose key is the same and whose files are still there. */
  recall(name: string, key: string): Promise<{ value: unknown } | undefined>
  remember(step: DoneStep): Promise<void>
  published(files: string[]): Promise<void>
  complete(result: unknown, credit: Credit): Promise<Folded>
  fail(error: StageError, retryAt: string | null): Promise<Folded>
  release(reason: ReleaseReason): Promise<Folded>
  /** Removes the private folder. */
  dispose(): Promise<void>
}

/** `key` is the hash of all that the value depends on; `files` are the artifacts that were put during the step. */
export type DoneStep = { name: string; key: string; value: unknown; files: string[] }

export type ClaimRequest = { stage: string; taskId: string; owner: ClaimOwner; isHeld: (owner: ClaimOwner) => boolean }

/**
 * Claims a stage, or says why not: `held` (its owner lives), `stale` (another task, or nothing to do),
 * `lost` (somebody else was faster). Writes the claim, then folds again before anything is done.
 */
export async function claimStage(
  project: Project,
  request: ClaimRequest,
): Promise<Attempt | 'held' | 'stale' | 'lost'> {
  const before = project.read()
  const stage = stageOf(before, request.stage)
  if (!stage || stage.task_id !== request.taskId || !CLAIMABLE.has(stage.status)) return 'stale'
  const { fence: supersedes, owner } = before.internals[stage.name]!
  if (stage.status === 'running' && owner && request.isHeld(owner)) return 'held'
  const fence = randomUUID()
  const { stage: name, taskId: task_id, owner: me } = request
  const after = await project.append({ type: 'claim', stage: name, task_id, fence, supersedes, owner: me })
  if (after.internals[name]!.fence !== fence) return 'lost'
  await removeDeadWork(project, name, fence)
  return createAttempt(project, name, fence)
}

const CLAIMABLE = new Set(['queued', 'running', 'waiting'])

function createAttempt(project: Project, stage: string, fence: string): Attempt {
  const { number, take } = numbersOf(project.read(), stage)
  const work = workFolder(project, stage, fence)

  function isCurrent(): boolean {
    const folded = project.read()
    return folded.internals[stage]?.fence === fence && stageOf(folded, stage)?.status === 'running'
  }

  /** A write counts if the claim stood when it was read back; else the attempt has been superseded. */
  async function write(record: RecordBody, options?: { sync?: boolean }): Promise<void> {
    throwUnless(isCurrent())
    await project.append(record, options)
    throwUnless(isCurrent())
  }

  /** For the last record, after which the claim no longer stands. */
  async function end(record: RecordBody): Promise<Folded> {
    throwUnless(isCurrent())
    return project.append(record)
  }

  async function putArtifact(name: string, source: { path: string } | { data: string | Uint8Array }, mime: string) {
    throwUnless(isCurrent())
    const path = 'path' in source ? source.path : await writeWorkFile(work, name, source.data)
    const placed = await placeArtifact(project.paths, name, path)
    const previous = project.read().state.artifacts.find((a) => a.name === name)
    await write({ type: 'artifact', stage, fence, name, mime, ...placed })
    if (previous && previous.file !== placed.file)
      await rm(join(project.paths.artifacts, previous.file), { force: true })
    return project.read().state.artifacts.find((a) => a.name === name)!
  }

  async function store(name: string, value: unknown): Promise<StoredValue> {
    const json = JSON.stringify(value) ?? 'null'
    if (Buffer.byteLength(json) <= INLINE_LIMIT) return { value: JSON.parse(json) }
    return { artifact: (await putArtifact(name, { data: json }, 'application/json')).name }
  }

  return {
    project,
    stage,
    fence,
    number,
    take,
    work,
    isCurrent,
    putArtifact,
    progress: (progress, message) => write({ type: 'progress', stage, fence, progress, message }, { sync: false }),
    async recall(name, key) {
      const folded = project.read()
      const step = stageOf(folded, stage)?.steps.find((s) => s.name === name && s.key === key)
      if (!step?.files.every((file) => isThere(project, folded, file))) return undefined
      if ('value' in step.result) return { value: step.result.value }
      return { value: await loadValue(project, step.result.artifact) }
    },
    async remember({ name, key, value, files }) {
      const result = await store(`${stage}-${fileSafe(name)}.step.json`, value)
      const all = 'artifact' in result ? [...files, result.artifact] : files
      await write({ type: 'step', stage, fence, name, key, result, files: all })
    },
    published: (files) => write({ type: 'published', stage, fence, files }),
    async complete(result, credit) {
      return end({ type: 'completed', stage, fence, result: await store(`${stage}.result.json`, result), credit })
    },
    fail: (error, retry_at) => end({ type: 'failed', stage, fence, error, retry_at }),
    release: (reason) => end({ type: 'released', stage, fence, reason }),
    dispose: () => rm(work, { recursive: true, force: true }),
  }
}

function throwUnless(current: boolean): void {
  if (!current) throw new AppError('superseded', 'This attempt no longer owns its stage')
}

function numbersOf(folded: Folded, stage: string): { number: number; take: number } {
  return { number: stageOf(folded, stage)!.attempts, take: folded.internals[stage]!.take }
}

function stageOf(folded: Folded, name: string): StageState | undefined {
  return folded.state.stages.find((s) => s.name === name)
}

function workFolder(project: Project, stage: string, fence: string): string {
  return join(project.paths.work, `${stage}.${fence.slice(0, 8)}`)
}

async function writeWorkFile(work: string, name: string, data: string | Uint8Array): Promise<string> {
  await ensureFolder(work)
  const path = join(work, `${randomUUID()}-${name}`)
  await writeSynced(path, data)
  return path
}

/** Attempts that were killed leave their private folders behind. */
async function removeDeadWork(project: Project, stage: string, fence: string): Promise<void> {
  const mine = `${stage}.${fence.slice(0, 8)}`
  const names = await readdir(project.paths.work).catch(() => [] as string[]) // no folder: nothing was left
  const dead = names.filter((n) => n.startsWith(`${stage}.`) && n !== mine)
  await Promise.all(dead.map((n) => rm(join(project.paths.work, n), { recursive: true, force: true })))
}

function isThere(project: Project, folded: Folded, name: string): boolean {
  const artifact = folded.state.artifacts.find((a) => a.name === name)
  return artifact !== undefined && isWhole(project.paths, artifact)
}

/** The value that was stored as an artifact because it was over 16 KB. */
export async function loadValue(project: Project, artifact: string): Promise<unknown> {
  return JSON.parse(await readFile(artifactPath(project.paths, project.read(), artifact), 'utf8'))
}

function fileSafe(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 80)
}
