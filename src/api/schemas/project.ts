/** Projects on the wire. Field names are those of project_state.json; fields may be added, never renamed. */
import { z } from '@hono/zod-openapi'
import { STATUSES } from '../../project/project.ts'
import { IdSchema, NameSchema } from './common.ts'

export const StatusSchema = z.enum(STATUSES)
const ReasonSchema = z.enum(['quota', 'budget', 'disk', 'interrupted']).nullable()
const TimeSchema = z.iso.datetime()
const PercentSchema = z.number().min(0).max(100)
const AnySchema = z.unknown().openapi({ description: 'Any JSON value' })

const ErrorSchema = z
  .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() })
  .openapi('StageError')

const StageSchema = z
  .object({
    name: NameSchema,
    queue: z.string(),
    status: StatusSchema,
    reason: ReasonSchema,
    stale: z.boolean(),
    progress: PercentSchema,
    message: z.string().nullable(),
    attempts: z.int(),
    retries: z.int(),
    retry_at: TimeSchema.nullable(),
    waits: z.int(),
    calls: z.int(),
    wait_until: TimeSchema.nullable(),
    task_id: z.string().nullable(),
    started_at: TimeSchema.nullable(),
    finished_at: TimeSchema.nullable(),
    duration_ms: z.number().nullable(),
    last_progress_at: TimeSchema.nullable(),
    steps: z.array(z.object({ name: z.string(), status: z.literal('completed') })),
    result: AnySchema,
    error: ErrorSchema.nullable(),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    degraded: z.array(z.string()),
    usage: z.object({ input_tokens: z.int(), output_tokens: z.int(), cost_usd: z.number().nullable() }),
  })
  .openapi('Stage')

const ArtifactSchema = z
  .object({ name: z.string(), stage: z.string(), mime: z.string(), bytes: z.int(), sha256: z.string() })
  .openapi('Artifact')

export const ProjectSummarySchema = z
  .object({
    id: IdSchema,
    pipeline: z.string(),
    title: z.string(),
    owner: z.string(),
    batch_id: z.string().nullable(),
    status: StatusSchema,
    reason: ReasonSchema,
    progress: PercentSchema,
    created_at: TimeSchema,
    updated_at: TimeSchema,
    error: ErrorSchema.nullable(),
  })
  .openapi('ProjectSummary')

export const ProjectSchema = ProjectSummarySchema.extend({
  version: z.literal(1),
  revision: z.int(),
  input: AnySchema,
  stages: z.array(StageSchema),
  artifacts: z.array(ArtifactSchema),
}).openapi('Project')

/** `delayed`: accepted and on disk; the work starts when Redis is back. */
export const CommandAnswerSchema = ProjectSchema.extend({ dispatch: z.enum(['queued', 'delayed']) }).openapi(
  'CommandAnswer',
)

export const ProjectListSchema = z
  .object({ items: z.array(ProjectSummarySchema), next_cursor: z.string().nullable() })
  .openapi('ProjectList')

/** Deeper values would overflow the stack of whoever walks them. */
const MAX_DEPTH = 64

export const InputSchema = AnySchema.refine(
  (value) => depthOf(value) <= MAX_DEPTH,
  `nested deeper than ${MAX_DEPTH} levels`,
)

export const CreateProjectSchema = z
  .strictObject({
    pipeline: NameSchema,
    input: InputSchema,
    title: z.string().trim().min(1).max(200).optional(),
    autostart: z.boolean().default(true),
  })
  .openapi('CreateProject')

export const RerunSchema = z.strictObject({ and_following: z.boolean().default(false) }).openapi('Rerun')

export const ProjectQuerySchema = z.object({
  status: StatusSchema.optional(),
  pipeline: NameSchema.optional(),
  q: z.string().max(200).optional(),
  limit: z.coerce.number<number>().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(512).optional(),
})

export type CreateProject = z.input<typeof CreateProjectSchema>
export type Rerun = z.input<typeof RerunSchema>
export type ListQuery = z.input<typeof ProjectQuerySchema>
export type Project = z.infer<typeof ProjectSchema>
export type ProjectList = z.infer<typeof ProjectListSchema>
export type CommandBody = z.infer<typeof CommandAnswerSchema>

/** Level by level, because a recursive walk would itself overflow. */
function depthOf(value: unknown): number {
  let depth = 0
  for (let level = [value]; level.length > 0 && depth <= MAX_DEPTH; depth++)
    level = level.flatMap((v) => (v !== null && typeof v === 'object' ? Object.values(v) : []))
  return depth
}
