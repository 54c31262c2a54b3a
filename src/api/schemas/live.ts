/** Live messages and what is asked to get them. Clients must ignore fields and types that they do not know. */
import { z } from '@hono/zod-openapi'
import { StatusSchema } from './project.ts'

const SeqSchema = z.int().min(0).optional().openapi({ description: 'Left out before the end of a catch-up' })
const PercentSchema = z.number().min(0).max(100)
const StageStatusSchema = z.enum(['queued', 'processing', 'restarted', 'waiting', 'completed', 'failed', 'cancelled'])

const placed = {
  seq: SeqSchema,
  project_id: z.string(),
  timestamp: z.number().openapi({ description: 'Unix time in seconds' }),
}
const staged = { ...placed, stage: z.string() }

export const ConnectedMessageSchema = z
  .object({
    type: z.literal('connected'),
    channel: z.string().openapi({ description: 'The Redis channel with the same messages' }),
    project_id: z.string(),
    seq: SeqSchema,
    epoch: z.string().regex(/^[a-z0-9]+$/),
    recovered: z
      .boolean()
      .openapi({ description: 'False: not every message since the cursor follows; a snapshot does' }),
    stages: z.record(z.string(), z.string()).openapi({ description: 'The status of each stage' }),
  })
  .openapi('ConnectedMessage')

export const TokenMessageSchema = z
  .object({
    type: z.literal('token'),
    content: z.string(),
    full_text: z.string().optional().openapi({ description: 'Left out with v=2' }),
    offset: z.int().min(0).openapi({ description: 'UTF-16 units of the text before content' }),
    snapshot: z.literal(true).optional().openapi({ description: 'content replaces all text of this stage' }),
    ...staged,
  })
  .openapi('TokenMessage')

export const StageUpdateMessageSchema = z
  .object({
    type: z.literal('stage_update'),
    status: StageStatusSchema,
    progress: PercentSchema.optional(),
    message: z.string().optional(),
    ...staged,
  })
  .openapi('StageUpdateMessage')

export const ProgressMessageSchema = z
  .object({
    type: z.literal('progress'),
    current: z.number(),
    total: z.number(),
    progress: PercentSchema,
    item_name: z.string().optional(),
    ...staged,
  })
  .openapi('ProgressMessage')

export const DoneMessageSchema = z
  .object({
    type: z.literal('done'),
    full_text: z.string(),
    metadata: z.object({ latency_ms: z.number(), tokens_used: z.number(), model: z.string() }),
    ...staged,
  })
  .openapi('DoneMessage')

export const ErrorMessageSchema = z
  .object({
    type: z.literal('error'),
    error: z.string(),
    retry_count: z.int(),
    will_retry: z.boolean(),
    ...staged,
  })
  .openapi('ErrorMessage')

export const ProjectUpdateMessageSchema = z
  .object({
    type: z.literal('project_update'),
    status: StatusSchema,
    progress: PercentSchema,
    message: z.string().optional(),
    ...placed,
  })
  .openapi('ProjectUpdateMessage')

export const LiveMessageSchema = z
  .union([
    ConnectedMessageSchema,
    TokenMessageSchema,
    StageUpdateMessageSchema,
    ProgressMessageSchema,
    DoneMessageSchema,
    ErrorMessageSchema,
    ProjectUpdateMessageSchema,
  ])
  .openapi('LiveMessage')

/** What only WebSockets carry, besides the messages above. */
export const PingMessageSchema = z
  .object({ type: z.literal('ping'), timestamp: z.unknown() })
  .openapi('PingMessage', { description: 'From a client; answered by a pong with the same timestamp' })
export const PongMessageSchema = z.object({ type: z.literal('pong'), timestamp: z.unknown() }).openapi('PongMessage')

export const CURSOR_PATTERN = /^[a-z0-9]{1,64}-\d{1,16}$/

export const SinceSchema = z
  .string()
  .regex(CURSOR_PATTERN)
  .openapi({ description: 'Goes on after this cursor, `<epoch>-<seq>`', example: '1k9x2-41' })

/** Versions of the messages: 2 leaves full_text out of tokens, so that bytes grow with the text and no faster. */
export const VersionSchema = z
  .enum(['1', '2'])
  .default('1')
  .transform((text) => Number(text) as 1 | 2)
  .openapi({ type: 'string', enum: ['1', '2'], default: '1' })

const TicketSchema = z.string().max(100).optional().openapi({ description: 'From POST /api/v1/ws-tickets' })

export const ViewQuerySchema = z.object({ since: SinceSchema.optional(), v: VersionSchema, ticket: TicketSchema })

const MAX_WAIT_S = 30

export const EventsQuerySchema = ViewQuerySchema.extend({
  stage: z.string().min(1).max(64).optional().openapi({ description: 'Only this stage' }),
  wait: z.coerce
    .number<number>()
    .min(0)
    .max(MAX_WAIT_S)
    .default(0)
    .openapi({ description: 'Long polling: seconds until an empty answer' }),
})

export const EventPageSchema = z
  .object({
    events: z.array(LiveMessageSchema),
    next: z.string().openapi({ description: 'The `since` of the next request' }),
    up_to_date: z.boolean(),
    closed: z.boolean().openapi({ description: 'The project has ended and this is all' }),
  })
  .openapi('EventPage')

export const WsTicketSchema = z
  .object({ ticket: z.string(), expires_in_s: z.number() })
  .openapi('WsTicket', { description: 'Lets its caller in once, as `?ticket=`' })

export type ViewQuery = z.infer<typeof ViewQuerySchema>
export type EventPage = z.infer<typeof EventPageSchema>
export type WsTicket = z.infer<typeof WsTicketSchema>
