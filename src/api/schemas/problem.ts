/** The error body, and the response entries that routes put into the document for it. */
import { z } from '@hono/zod-openapi'
import { ERRORS, type ErrorCode } from '../../lib/errors.ts'

export const FieldErrorSchema = z
  .object({
    in: z.enum(['body', 'query', 'path', 'header']).optional(),
    pointer: z.string().openapi({ description: 'JSON Pointer (RFC 6901) to the value', example: '/input/text' }),
    detail: z.string(),
  })
  .openapi('FieldError')

export const ProblemSchema = z
  .object({
    type: z.string().openapi({ example: 'urn:showrunner:error:not_found' }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    instance: z.string(),
    request_id: z.string(),
    errors: z.array(FieldErrorSchema).optional(),
  })
  .openapi('Problem')

export type FieldError = z.infer<typeof FieldErrorSchema>
export type Problem = z.infer<typeof ProblemSchema>

type ProblemResponse = {
  description: string
  content: { 'application/problem+json': { schema: typeof ProblemSchema } }
}

/** What any request can meet before its route is reached, and any route when something breaks. */
const ALWAYS: readonly ErrorCode[] = ['forbidden', 'internal']

/** Entries of a route's `responses` for `codes`; codes of one status share an entry. */
export function problems(...codes: ErrorCode[]): Record<number, ProblemResponse> {
  const byStatus: Record<number, ProblemResponse> = {}
  for (const code of new Set([...ALWAYS, ...codes])) {
    const { status, title } = ERRORS[code]
    const known = byStatus[status]?.description
    byStatus[status] = {
      description: known ? `${known}; \`${code}\`: ${title}` : `\`${code}\`: ${title}`,
      content: { 'application/problem+json': { schema: ProblemSchema } },
    }
  }
  return byStatus
}
