/** Whether a project can be taken on: its pipeline is known, its input valid, its programs installed. */
import { AppError, messageOf } from '../lib/errors.ts'
import { inputSchemaOf, type PipelineDefinition } from '../pipelines/define.ts'
import type { Registry } from '../pipelines/registry.ts'

export type AdmissionDeps = {
  registry: Registry
  /** Programs that are not installed, with the command that installs them. */
  missingPrograms: (needs: readonly string[]) => Promise<{ program: string; hint: string }[]>
}

/** Throws `not_found` with the names that there are. */
export function findPipeline(registry: Registry, name: string): PipelineDefinition {
  const pipeline = registry.get(name)
  if (pipeline) return pipeline
  const names = registry.all().map((p) => p.name)
  throw new AppError('not_found', `There is no pipeline ${name}; there are ${names.join(', ')}`)
}

/** Throws `missing_program` with the command that installs it: better than a stage that fails an hour later. */
export async function refuseMissingPrograms(deps: AdmissionDeps, pipeline: string): Promise<void> {
  const needs = deps.registry.get(pipeline)?.stages.flatMap((s) => s.needs ?? []) ?? []
  const missing = needs.length > 0 ? await deps.missingPrograms([...new Set(needs)]) : []
  if (missing.length === 0) return
  const words = missing.map(({ program, hint }) => `${program} is not installed: ${hint}`)
  throw new AppError('missing_program', words.join('; '), { details: { missing } })
}

/** The pipeline's own parse decides; a Zod error's issues become pointers into the body. Throws `invalid_value`. */
export async function parseInput(pipeline: PipelineDefinition, value: unknown): Promise<unknown> {
  try {
    const schema = await inputSchemaOf(pipeline)
    const input = await schema.parse(value)
    return input === undefined ? null : input
  } catch (error) {
    const errors = issuesOf(error)
    const first = errors[0]?.detail ?? messageOf(error)
    throw new AppError('invalid_value', `The input is not valid: ${first}`, { cause: error, details: { errors } })
  }
}

function issuesOf(error: unknown): { pointer: string; detail: string }[] {
  const issues = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues
  if (!Array.isArray(issues)) return [{ pointer: '/input', detail: messageOf(error) }]
  return issues.map(({ path, message }) => ({ pointer: ['/input', ...path.map(String)].join('/'), detail: message }))
}
