/** Lines of logs, and how they are asked for. */
import { z } from '@hono/zod-openapi'
import { ProcessNameSchema } from './workers.ts'

export const LogLineSchema = z
  .object({
    id: z.int().openapi({ description: 'Orders the lines of all processes; as text it is a cursor' }),
    line: z.int().openapi({ description: 'Counts the lines of this process: a number that is missing was left out' }),
    at: z.iso.datetime(),
    process: z.string(),
    pid: z.int().nullable(),
    stream: z.enum(['stdout', 'stderr', 'fact', 'api']).openapi({ description: 'fact: said by the supervisor' }),
    level: z.enum(['debug', 'info', 'warn', 'error']),
    message: z.string(),
    facts: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('LogLine')

export const LogPageSchema = z
  .object({
    items: z.array(LogLineSchema),
    next: z.string().openapi({ description: 'The `since` of what follows' }),
  })
  .openapi('LogPage')

export const LOG_CURSOR = /^\d{1,16}$/
/** With the number of the last line of each process that was sent. */
export const LOG_STREAM_CURSOR = /^\d{1,16}(,[\w-]+:\d{1,16})*$/
export const MAX_LOG_LINES = 1_000

const SinceSchema = z
  .union([z.string().regex(LOG_CURSOR), z.iso.datetime({ offset: true })])
  .openapi({ type: 'string', description: 'A cursor, or a time: only what follows, oldest first' })

export const LogQuerySchema = z.object({
  process: ProcessNameSchema.optional().openapi({ description: 'Only of this one, e.g. io-1, redis or supervisor' }),
  since: SinceSchema.optional(),
  before: z
    .string()
    .regex(LOG_CURSOR)
    .optional()
    .openapi({ description: 'A cursor: only what came before it; for going back page by page. Not with follow' }),
  limit: z.coerce.number<number>().int().min(1).max(MAX_LOG_LINES).default(200),
  follow: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .openapi({ type: 'string', enum: ['true', 'false'], default: 'false' }),
})

export type LogLine = z.infer<typeof LogLineSchema>
export type LogPage = z.infer<typeof LogPageSchema>
export type LogQuery = z.input<typeof LogQuerySchema>
