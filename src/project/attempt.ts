/** One attempt at one stage: a claim that fences every write it makes. */
import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../lib/errors.ts'
import { ensureFolder, removeTree, writeSynced } from '../lib/files.ts'
import { sha256 } from '../lib/ids.ts'
import { artifactPath, isWhole, placeArtifact, unreadable } from './artifacts.ts'
import { type Folded, findStage } from './folded.ts'
import type { ArtifactState, StageError, StageUsage } from './project.ts'
import type { Credit, RecordBody, ReleaseReason, StoredValue } from './records.ts'
import { INLINE_LIMIT, type Project } from './store.ts'
import { readUnlessDeleted, removeWork, workName } from './work.ts'

export type Attempt = {
  readonly project: Project
  readonly stage: string
  readonly fence: string
  /** Position of the claim in the journal: later claims have larger ones. */
  readonly claimRevision: number
  /** 1 for the first start; those after a crash count. */
  readonly number: number
  readonly take: number
  /** The attempt's private folder. */
  readonly work: string
  /** Why the claim may not have reached the disk: no work may begin on such a one. */
  readonly fault: { error: unknown } | null
  /** False once the claim was taken over or revoked: whatever is written then does not count. */
  isCurrent(): boolean
  progress(progress: number, message: string | null): Promise<void>
  putArtifact(
    name: string,
    source: { path: string } | { data: string | Uint8Array },
    mime: string,
  ): Promise<ArtifactState>
  /**
   * The remembered value of a step whose key is the same and whose files are still there. Throws `disk` when that cannot
   * be said: the stage then waits, for a step that is done must not be bought again.
   */
  recall(name: string, key: string): Promise<{ value: unknown; text?: string } | undefined>
  remember(step: DoneStep): Promise<void>
  published(files: string[]): Promise<void>
  /** `text` is what the stage streamed, or null when it streamed none. */
  complete(done: { result: unknown; text: string | null; credit: Credit }): Promise<Folded>
  fail(error: StageError, retryAt: string | null): Promise<Folded>
  /** The provider asked to wait: no try is spent. */
  defer(until: string, error: StageError): Promise<Folded>
  release(reason: ReleaseReason, about?: { until?: string | null; error?: StageError }): Promise<Folded>
  /** Before and after a paid call; `intents` tells how often one was begun whose answer never came. */
  intend(call: { request_key: string; provider: string; model: string | null }): Promise<void>
  called(request_key: string, outcome: 'answered' | 'refused'): Promise<void>
  intents(request_key: string): number
  spent(usage: StageUsage, call: Record<string, unknown>): Promise<void>
  /** Removes the private folder; never rejects. What still writes there keeps it, up to the next claim or start. */
  dispose(): Promise<void>
}

/**
 * `key` is the hash of all that the value depends on; `files` are the artifacts that were put during the step, and
 * `text` is what it emitted.
 */
export type DoneStep = { name: string; key: string; value: unknown; files: string[]; text?: string }

/** `folded` is in what the claim was found to stand: nothing is read once more, for that could fail. */
export type Claimed = Pick<Attempt, 'stage' | 'fence' | 'fault'> & { folded: Folded }

/** For a claim that has won; see claim.ts. */
export function createAttempt(project: Project, { stage, fence, fault, folded }: Claimed): Attempt {
  const { number, take, claimRevision } = numbersOf(folded, stage)
  const work = join(project.paths.work, workName(stage, fence))

  function isCurrent(): boolean {
    const folded = readUnlessDeleted(project)
    return folded?.internals[stage]?.fence === fence && findStage(folded, stage)?.status === 'running'
  }

  /** A write counts if the claim stood when it was read back; else the attempt has been superseded. */
  async function write(record: RecordBody, options?: { sync?: boolean }): Promise<void> {
    throwUnless(isCurrent())
    await project.append(record, options)
    throwUnless(isCurrent())
  }

  const bills = createBills(write)

  /** For the last record, after which the claim no longer stands. */
  async function end(record: RecordBody): Promise<Folded> {
    await bills.settled()
    throwUnless(isCurrent())
    return project.append(record)
  }

  const { putArtifact, store } = placingOf({ project, stage, fence, work, write, isCurrent })

  return {
    project,
    stage,
    fence,
    claimRevision,
    number,
    take,
    work,
    fault,
    isCurrent,
    putArtifact,
    progress: (progress, message) => write({ type: 'progress', stage, fence, progress, message }, { sync: false }),
    recall: (name, key) => recall(project, stage, { name, key }),
    async remember({ name, key, files, ...said }) {
      const { value, ...mark } = withText(said)
      const result = await store(stepFileName(stage, name), value)
      const all = 'artifact' in result ? [...files, result.artifact] : files
      await write({ type: 'step', stage, fence, name, key, result, files: all, ...mark })
    },
    published: (files) => write({ type: 'published', stage, fence, files }),
    ...endingsOf({ stage, fence, end, store, leave: () => removeTree(work) }),
    ...callsOf({ project, stage, fence, write }),
    spent: (usage, call) => bills.write({ type: 'spent', stage, fence, usage, call }),
    dispose: () => removeWork(project, work),
  }
}

type Placing = Pick<Attempt, 'putArtifact'> & { store: (name: string, value: unknown) => Promise<StoredValue> }
type PlacingParts = CallParts & { work: string; isCurrent: () => boolean }

function placingOf({ project, stage, fence, work, write, isCurrent }: PlacingParts): Placing {
  const putArtifact: Attempt['putArtifact'] = async (name, source, mime) => {
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

  return { putArtifact, store }
}

/** What is stored of a step: only one that has emitted text needs more than its value. */
function withText({ value, text }: Pick<DoneStep, 'value' | 'text'>): { value: unknown; texted?: true } {
  return text ? { value: { value: value ?? null, text }, texted: true } : { value }
}

async function recall(project: Project, stage: string, of: Pick<DoneStep, 'name' | 'key'>) {
  const folded = project.read()
  const step = findStage(folded, stage)?.steps.find(({ name, key }) => name === of.name && key === of.key)
  if (!step?.files.every((file) => isThere(project, folded, file))) return undefined
  const value = 'value' in step.result ? step.result.value : await loadValue(project, step.result.artifact)
  return step.texted ? (value as { value: unknown; text: string }) : { value }
}

/** What a call cost counts only while the claim stands, so that the last record has to wait for it. */
function createBills(write: (record: RecordBody) => Promise<void>) {
  const open = new Set<Promise<void>>()
  return {
    async write(record: RecordBody): Promise<void> {
      const written = write(record)
      open.add(written)
      await written.finally(() => open.delete(written))
    },
    settled: () => Promise.allSettled(open),
  }
}

type Endings = Pick<Attempt, 'complete' | 'fail' | 'defer' | 'release'>
type EndingParts = {
  stage: string
  fence: string
  end: (record: RecordBody) => Promise<Folded>
  store: Placing['store']
  leave: () => Promise<unknown>
}

function endingsOf({ stage, fence, end, store, leave }: EndingParts): Endings {
  return {
    async complete({ result, text, credit }) {
      const stored = await store(`${stage}.result.json`, result)
      const storedText = text === null ? null : await store(`${stage}.text.json`, text)
      await leave() // after the record, that may be the project's last, nobody may come here again
      return end({ type: 'completed', stage, fence, result: stored, text: storedText, credit })
    },
    fail: (error, retry_at) => end({ type: 'failed', stage, fence, error, retry_at }),
    defer: (until, error) => end({ type: 'deferred', stage, fence, until, error }),
    release: (reason, about) => end({ type: 'released', stage, fence, reason, ...about }),
  }
}

type Calls = Pick<Attempt, 'intend' | 'called' | 'intents'>
type CallParts = { project: Project; stage: string; fence: string; write: (record: RecordBody) => Promise<void> }

function callsOf({ project, stage, fence, write }: CallParts): Calls {
  return {
    intend: (call) => write({ type: 'intent', stage, fence, ...call }),
    called: (request_key, outcome) => write({ type: 'called', stage, fence, request_key, outcome }),
    intents: (request_key) => project.read().internals[stage]!.intents[request_key] ?? 0,
  }
}

function throwUnless(current: boolean): void {
  if (!current) throw new AppError('superseded', 'This attempt no longer owns its stage')
}

function numbersOf(folded: Folded, stage: string) {
  const { take, claimRevision } = folded.internals[stage]!
  return { number: findStage(folded, stage)!.attempts, take, claimRevision }
}

async function writeWorkFile(work: string, name: string, data: string | Uint8Array): Promise<string> {
  await ensureFolder(work)
  const path = join(work, `${randomUUID()}-${name}`)
  await writeSynced(path, data)
  return path
}

function isThere(project: Project, folded: Folded, name: string): boolean {
  const artifact = folded.state.artifacts.find((a) => a.name === name)
  return artifact !== undefined && isWhole(project.paths, artifact)
}

/** The value that was stored as an artifact because it was over 16 KB. Throws as `artifactPath` does. */
export async function loadValue(project: Project, artifact: string): Promise<unknown> {
  const path = artifactPath(project.paths, project.read(), artifact)
  const json = await readFile(path, 'utf8').catch((error) => Promise.reject(unreadable(artifact, error)))
  return JSON.parse(json)
}

/**
 * Readable, and one for each step: the hash tells apart what reads the same once it is fit for a file name, or is cut.
 * A record names its file, so that what was stored under other names is found too.
 */
function stepFileName(stage: string, name: string): string {
  const hash = sha256(JSON.stringify([stage, name])).slice(0, 12)
  return `${stage.slice(0, 40)}-${fileSafe(name).slice(0, 40)}.${hash}.step.json`
}

function fileSafe(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_')
}
