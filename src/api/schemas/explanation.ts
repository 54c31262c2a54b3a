/** Why a process is as it is. */
import { z } from '@hono/zod-openapi'
import { CLOCK } from '../../lib/moment.ts'
import { ProcessNameSchema } from './workers.ts'

const EventSchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    run: z.string().openapi({ description: 'Id of the run of the program' }),
    process: z.string(),
    event: z.string().openapi({ example: 'exited' }),
    text: z.string(),
    cause: z.int().nullable().openapi({ description: 'Id of the event that caused it' }),
    facts: z.record(z.string(), z.unknown()),
  })
  .openapi('ProcessEvent')

const LastExitSchema = z.object({
  reason: z.string(),
  at: z.iso.datetime(),
  code: z.int().nullable(),
  signal: z.string().nullable(),
})

export const ExplanationSchema = z
  .object({
    process: z.string(),
    state: z.string().openapi({ example: 'ready' }),
    since: z.iso.datetime().nullable(),
    summary: z.string().openapi({ description: 'One sentence' }),
    chain: z.array(EventSchema).openapi({ description: 'From the first cause on' }),
    history: z.array(EventSchema),
    last_lines: z.array(z.string()),
    last_exit: LastExitSchema.nullable(),
  })
  .openapi('Explanation')

export const ExplanationBodySchema = z
  .object({ success: z.literal(true), data: ExplanationSchema })
  .openapi('ExplanationBody')

export const StatusQuerySchema = z.object({
  explain: ProcessNameSchema.optional().openapi({ description: 'Instead of the status: why this process is as it is' }),
  at: z
    .union([
      z.string().regex(CLOCK),
      z.iso.datetime({ offset: true }),
      z.iso.datetime({ offset: true, precision: -1 }), // without seconds
    ])
    .optional()
    .openapi({
      type: 'string',
      description: 'Explains this moment: a time, or HH:MM of the last 24 hours; without seconds the whole minute',
      example: '14:02',
    }),
})

export type Explanation = z.infer<typeof ExplanationSchema>
export type ExplanationBody = z.infer<typeof ExplanationBodySchema>
