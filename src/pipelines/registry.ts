/** All pipelines of this installation: the built-in ones, and those of one's own in PIPELINES_DIR. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { errnoOf, messageOf } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { isQueueName, QUEUE_ALIASES } from '../settings.ts'
import type { PipelineDefinition, StageDefinition } from './define.ts'
import { story } from './story/story.ts'
import { video } from './video/video.ts'

export type PipelineProblem = { file: string; reason: string }
export type Registry = {
  get(name: string): PipelineDefinition | undefined
  all(): PipelineDefinition[]
  /** Files that could not be used; the others are not affected. */
  problems: PipelineProblem[]
}

const BUILT_IN: PipelineDefinition[] = [video, story]

export async function loadPipelines(folder: string | null): Promise<Registry> {
  const pipelines = new Map(BUILT_IN.map((p) => [p.name, p]))
  const problems: PipelineProblem[] = []
  for (const file of await pipelineFiles(folder, problems)) {
    try {
      const pipeline = await importPipeline(join(folder!, file))
      if (pipelines.has(pipeline.name)) throw new Error(`the name "${pipeline.name}" is already taken`)
      pipelines.set(pipeline.name, pipeline)
    } catch (error) {
      problems.push({ file, reason: messageOf(error) })
    }
  }
  return { get: (name) => pipelines.get(name), all: () => [...pipelines.values()], problems }
}

async function pipelineFiles(folder: string | null, problems: PipelineProblem[]): Promise<string[]> {
  if (folder === null) return []
  try {
    const files = await readdir(folder)
    return files.filter((f) => /\.(ts|mts|mjs|js)$/.test(f) && !f.endsWith('.d.ts')).sort()
  } catch (error) {
    problems.push({ file: folder, reason: errnoOf(error) === 'ENOENT' ? 'there is no such folder' : messageOf(error) })
    return []
  }
}

async function importPipeline(path: string): Promise<PipelineDefinition> {
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown }
  return checkPipeline(module.default)
}

/** Throws the first thing that is wrong, in words for the file's author. */
export function checkPipeline(value: unknown): PipelineDefinition {
  if (!value || typeof value !== 'object') throw new Error('it has no default export that is a pipeline object')
  const pipeline = value as PipelineDefinition
  if (!isName(pipeline.name)) throw new Error('"name" must be letters, digits, "-" and "_"')
  if (typeof pipeline.input !== 'function' && typeof pipeline.input?.parse !== 'function')
    throw new Error('"input" must have a parse function (a Zod schema has one)')
  if (!Array.isArray(pipeline.stages) || pipeline.stages.length === 0)
    throw new Error('"stages" must be a list with at least one stage')
  const stages = pipeline.stages.map(checkStage)
  const twice = stages.find((s, i) => stages.findIndex((o) => o.name === s.name) !== i)
  if (twice) throw new Error(`two stages are called "${twice.name}"`)
  return { ...pipeline, stages }
}

function checkStage(stage: StageDefinition, index: number): StageDefinition {
  const where = `stage ${index + 1}`
  if (!isName(stage?.name)) throw new Error(`${where}: "name" must be letters, digits, "-" and "_"`)
  if (typeof stage.run !== 'function') throw new Error(`${where} (${stage.name}): "run" must be a function`)
  const queue = QUEUE_ALIASES[stage.queue] ?? stage.queue
  if (!isQueueName(queue)) throw new Error(`${where} (${stage.name}): there is no queue "${stage.queue}"`)
  for (const key of ['softTimeLimitS', 'timeLimitS'] as const) {
    const limit: unknown = stage[key]
    if (limit !== undefined && !isLimit(limit))
      throw new Error(`${where} (${stage.name}): "${key}" ${limitWords(limit)}`)
  }
  return { ...stage, queue }
}

/** As the settings have it; a timer that is set for more than 24.8 days fires at once. */
const MAX_LIMIT_S = 604_800

function isLimit(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= MAX_LIMIT_S
}

function limitWords(value: unknown): string {
  return `is ${inspect(value, { depth: 0 })}; expected seconds above 0, at most ${MAX_LIMIT_S} (a week)`
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && isId(value)
}
