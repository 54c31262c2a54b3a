/** Pipelines on the wire: enough to show a form and to make a request. */
import { z } from '@hono/zod-openapi'
import { NameSchema } from './common.ts'

export const PipelineSchema = z
  .object({
    name: NameSchema,
    description: z.string(),
    stages: z.array(z.object({ name: NameSchema, queue: z.string() })),
    input_schema: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'JSON Schema of the input' }),
    examples: z.array(z.unknown().openapi({ description: 'An input that works' })),
  })
  .openapi('Pipeline')

export const PipelineListSchema = z.object({ items: z.array(PipelineSchema) }).openapi('PipelineList')

export type PipelineView = z.infer<typeof PipelineSchema>
