/** Shapes that several resources share. */
import { z } from '@hono/zod-openapi'
import { ID_PATTERN } from '../../lib/ids.ts'

export const IdSchema = z.string().regex(ID_PATTERN).openapi({ example: '019a9c3e-5b1c-7c3e-9a55-0e2f8f1c7d10' })

/** Names of pipelines and stages have the same shape as ids. */
export const NameSchema = z.string().regex(ID_PATTERN).openapi({ example: 'script' })

/** A `type`, not an interface of the library: content for one JSON schema. */
export function json<S extends z.ZodType>(schema: S) {
  return { 'application/json': { schema } }
}
