/** Pipelines as the API shows them; the input's JSON Schema where the input is a Zod schema. */
import { z } from 'zod'
import type { PipelineView } from '../api/schemas/pipeline.ts'
import { type InputSchema, inputSchemaOf, type PipelineDefinition } from '../pipelines/define.ts'
import type { Registry } from '../pipelines/registry.ts'

export function viewPipelines(registry: Registry): Promise<PipelineView[]> {
  return Promise.all(registry.all().map(viewPipeline))
}

async function viewPipeline(pipeline: PipelineDefinition): Promise<PipelineView> {
  const { name, description, stages, examples } = pipeline
  return {
    name,
    description: description ?? '',
    stages: stages.map((s) => ({ name: s.name, queue: s.queue })),
    input_schema: jsonSchemaOf(await inputSchemaOf(pipeline)),
    examples: examples ?? [],
  }
}

/** Null for a plain `{ parse }`, and for schemas that JSON Schema cannot express. */
function jsonSchemaOf(input: InputSchema): Record<string, unknown> | null {
  if (!('_zod' in input)) return null
  try {
    return z.toJSONSchema(input as unknown as z.ZodType, { io: 'input', unrepresentable: 'any' }) as Record<
      string,
      unknown
    >
  } catch {
    return null // a form cannot be made of it; the pipeline works all the same
  }
}
