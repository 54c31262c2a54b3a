/** What a stage gets: steps that are remembered, files that count, progress that is seen. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import { AppError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { artifactPath } from '../project/artifacts.ts'
import type { Attempt } from '../project/attempt.ts'
import type { Credit } from '../project/records.ts'
import type { Providers } from '../providers/pick.ts'
import type { Emission, StageArtifacts, StageContext } from './define.ts'
import { publishFiles } from './publish.ts'

export type ContextParts = {
  attempt: Attempt
  input: unknown
  results: Record<string, unknown>
  /** Hash of all that the stage's steps depend on. */
  memoKey: string
  providers: Providers
  nice: number
  signal: AbortSignal
  log: Log
  isDraining: () => boolean
  /** Past the hard limit: the programs of the stage were killed, so what it makes of their end does not count. */
  isOverdue: () => boolean
  emit: (value: Emission) => void
}

export type OpenContext = {
  context: StageContext
  credit(): Credit
  /** False when no step is under way; a failed sibling leaves others running. */
  isBusy(): boolean
  /** No step begins any more; resolves when none is under way. */
  endSteps(): Promise<void>
}

export function openContext(parts: ContextParts): OpenContext {
  const { attempt, signal } = parts
  const { id, title, owner, pipeline, created_at } = attempt.project.read().state
  const steps = createSteps(parts)
  const credit: Credit = {
    provider: null,
    model: null,
    degraded: [],
    usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
  }
  const context: StageContext = {
    project: { id, title, owner, pipeline, createdAt: created_at },
    stage: attempt.stage,
    input: parts.input,
    results: parts.results,
    attempt: attempt.number,
    signal,
    log: parts.log,
    providers: parts.providers,
    nice: parts.nice,
    artifacts: stageArtifacts(attempt, steps.addFile),
    step: steps.step,
    emit: steps.emit,
    credit: (by) => addCredit(credit, by),
    publish: (files) => publishFiles(attempt, files),
  }
  return { context, credit: () => credit, isBusy: steps.isBusy, endSteps: steps.end }
}

/** What belongs to a step that is under way; of steps within one another, text belongs to all. */
type Scope = { files: string[]; text: string[]; outer: Scope | undefined }

function createSteps({ attempt, memoKey, signal, isDraining, isOverdue, ...parts }: ContextParts) {
  const used = new Set<string>()
  const running = new Set<Promise<unknown>>()
  const scope = new AsyncLocalStorage<Scope>()
  let isOver = false

  function emit(value: Emission): void {
    if (typeof value === 'string') for (let one = scope.getStore(); one; one = one.outer) one.text.push(value)
    parts.emit(value)
  }

  async function run<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
    const known = await attempt.recall(name, memoKey)
    if (known?.text) emit(known.text) // this attempt's viewers, and its own text, have not had it yet
    if (known) return known.value as T
    signal.throwIfAborted()
    if (isOver) throw new AppError('stage_failed', `The step "${name}" was begun after its stage had returned`)
    if (isDraining()) throw new AppError('interrupted', 'This worker is stopping; the step runs when the stage goes on')
    const own: Scope = { files: [], text: [], outer: scope.getStore() }
    const value = await scope.run(own, fn as () => Promise<T>)
    if (isOverdue()) throw new AppError('time_limit', `The step "${name}" ended after the hard time limit`)
    await attempt.remember({ name, key: memoKey, value, files: own.files, text: own.text.join('') })
    return value
  }

  return {
    emit,
    step<T>(name: string, fn: () => Promise<T> | T): Promise<T> {
      if (used.has(name)) throw new AppError('stage_failed', `The step name "${name}" was used twice in one run`)
      used.add(name)
      const promise = run(name, fn)
      running.add(promise)
      promise.catch(() => {}).finally(() => running.delete(promise)) // the caller handles the rejection
      return promise
    },
    addFile: (name: string) => scope.getStore()?.files.push(name),
    isBusy: () => running.size > 0,
    async end() {
      isOver = true
      while (running.size > 0) await Promise.allSettled([...running]) // one under way may ask for another
    },
  }
}

function stageArtifacts(attempt: Attempt, onPut: (name: string) => void): StageArtifacts {
  const { project } = attempt
  return {
    workPath: (name) => join(attempt.work, name),
    async put(name, source, mime) {
      const artifact = await attempt.putArtifact(name, source, mime)
      onPut(name)
      return artifact
    },
    path: (name) => artifactPath(project.paths, project.read(), name),
    list: () => project.read().state.artifacts,
  }
}

function addCredit(credit: Credit, by: Parameters<StageContext['credit']>[0]): void {
  credit.provider = by.provider ?? credit.provider
  credit.model = by.model ?? credit.model
  credit.degraded = [...new Set([...credit.degraded, ...(by.degraded ?? [])])]
  if (!by.usage) return
  const { input_tokens, output_tokens, cost_usd } = by.usage
  const cost =
    cost_usd === null && credit.usage.cost_usd === null ? null : (credit.usage.cost_usd ?? 0) + (cost_usd ?? 0)
  credit.usage = {
    input_tokens: credit.usage.input_tokens + input_tokens,
    output_tokens: credit.usage.output_tokens + output_tokens,
    cost_usd: cost,
  }
}
