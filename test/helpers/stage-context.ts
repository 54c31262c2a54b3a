/** Runs the stages of a pipeline in this process with real files in a temp folder: no Redis, no journal. */
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson, sha256 } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import {
  type ArtifactRef,
  type Emission,
  inputSchemaOf,
  type PipelineDefinition,
  type StageArtifacts,
  type StageContext,
} from '../../src/pipelines/define.ts'
import { createProviders, type Providers } from '../../src/providers/pick.ts'
import type { Provenance, Usage } from '../../src/providers/provider.ts'

export const PLAIN_OPTIONS = { ffmpegPath: null, ffprobePath: null, fontDir: null, nice: 0 }

export type StageRecord = {
  result: unknown
  emissions: Emission[]
  provenance: Provenance
  usage: Usage[]
  steps: string[]
  ms: number
}

export type StageRunner = AsyncDisposable & {
  folder: string
  published: string
  artifacts: StageArtifacts
  records: Record<string, StageRecord>
  /** Runs one stage on what the ones before have left. Steps of earlier runs on the same input are remembered. */
  run(stage: string, signal?: AbortSignal, own?: { input: unknown }): Promise<StageRecord>
  /** Called before every step that is not remembered. */
  onStep: (name: string) => void
}

export async function openStages(
  pipeline: PipelineDefinition,
  input: unknown,
  providers: Providers = createProviders(PLAIN_OPTIONS),
): Promise<StageRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'showrunner-stages-'))
  const published = join(folder, 'published')
  await mkdir(join(folder, 'artifacts'))
  const parsed = (await inputSchemaOf(pipeline)).parse(input)
  const memory = new Map<string, { value: unknown; text: string }>()
  const refs = new Map<string, ArtifactRef>()
  const runner: StageRunner = {
    folder,
    published,
    artifacts: openArtifacts(folder, { work: '', stage: '', refs }),
    records: {},
    onStep: () => {},
    async run(name, signal = new AbortController().signal, { input } = { input: parsed }) {
      const stage = pipeline.stages.find((s) => s.name === name)!
      const work = await mkdtemp(join(folder, 'work-'))
      const artifacts = openArtifacts(folder, { work, stage: name, refs })
      const record: StageRecord = {
        result: undefined,
        emissions: [],
        provenance: { provider: '', model: null, degraded: [] },
        usage: [],
        steps: [],
        ms: 0,
      }
      const results = Object.fromEntries(Object.entries(runner.records).map(([key, r]) => [key, r.result]))
      const context = contextOf({ name, input, results, signal, providers, artifacts, record, memory, runner })
      const startedMs = performance.now()
      record.result = JSON.parse(JSON.stringify(await consume(stage.run(context), record)))
      record.ms = performance.now() - startedMs
      await rm(work, { recursive: true, force: true })
      runner.records[name] = record
      return record
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
  return runner
}

type ContextParts = {
  name: string
  input: unknown
  results: Record<string, unknown>
  signal: AbortSignal
  providers: Providers
  artifacts: StageArtifacts
  record: StageRecord
  memory: Map<string, { value: unknown; text: string }>
  runner: StageRunner
}

function contextOf(parts: ContextParts): StageContext {
  const { name, record, memory, artifacts, runner } = parts
  return {
    project: { id: 'test', title: 'Test', owner: 'operator', pipeline: 'video', createdAt: '2026-01-01T00:00:00.000Z' },
    stage: name,
    input: parts.input,
    results: parts.results,
    attempt: 1,
    signal: parts.signal,
    log: silentLog,
    providers: parts.providers,
    artifacts,
    nice: 0,
    async step(step, fn) {
      const key = canonicalJson([name, step, parts.input])
      if (!memory.has(key)) {
        runner.onStep(`${name}/${step}`)
        const before = record.emissions.length
        const value = JSON.parse(JSON.stringify((await fn()) ?? null))
        const said = record.emissions.slice(before).filter((emission) => typeof emission === 'string')
        memory.set(key, { value, text: said.join('') })
        record.steps.push(step)
      } else if (memory.get(key)!.text !== '') record.emissions.push(memory.get(key)!.text)
      return memory.get(key)!.value as Awaited<ReturnType<typeof fn>>
    },
    emit: (value) => void record.emissions.push(value),
    credit: (by) => {
      if (by.usage) record.usage.push(by.usage)
      const { provider, model, degraded } = record.provenance
      record.provenance = {
        provider: by.provider ?? provider,
        model: by.model ?? model,
        degraded: [...degraded, ...(by.degraded ?? [])],
      }
    },
    async publish(files) {
      await rm(runner.published, { recursive: true, force: true })
      await mkdir(runner.published)
      for (const file of files) {
        const target = join(runner.published, file.name)
        if ('artifact' in file) await copyFile(artifacts.path(file.artifact), target)
        else await writeFile(target, file.data)
      }
      return { folder: runner.published }
    },
  }
}

function openArtifacts(
  folder: string,
  of: { work: string; stage: string; refs: Map<string, ArtifactRef> },
): StageArtifacts {
  const pathOf = (name: string) => join(folder, 'artifacts', name)
  return {
    workPath: (name) => join(of.work, name),
    async put(name, source, mime) {
      if ('path' in source) await rename(source.path, pathOf(name))
      else await writeFile(pathOf(name), source.data)
      const { size } = await stat(pathOf(name))
      const ref = { name, stage: of.stage, mime, bytes: size, sha256: sha256(await readFile(pathOf(name))) }
      of.refs.set(name, ref)
      return ref
    },
    path: pathOf,
    list: () => [...of.refs.values()],
  }
}

async function consume(running: unknown, record: StageRecord): Promise<unknown> {
  const stream = running as AsyncGenerator<Emission, unknown, void>
  if (typeof stream?.[Symbol.asyncIterator] !== 'function') return running
  for (;;) {
    const { done, value } = await stream.next()
    if (done) return value
    record.emissions.push(value as Emission)
  }
}
