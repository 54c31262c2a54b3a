/** One requested execution of a stage, with the names that Celery's clients know. */
import { z } from '@hono/zod-openapi'
import { NameSchema } from './common.ts'
import { InputSchema } from './project.ts'

export const TaskIdSchema = z.string().min(1).max(100).openapi({ example: '019a9c3e-5b1c-7c3e-9a55-0e2f8f1c7d10-3' })

export const ExecuteStageSchema = z
  .strictObject({
    stage_name: NameSchema,
    input_data: InputSchema,
    use_streaming: z.boolean().default(false),
  })
  .openapi('ExecuteStage')

export const StageTaskSchema = z
  .object({
    task_id: z.string(),
    channel: z.string().openapi({ description: 'The Redis channel with its live messages' }),
    stage: z.string(),
    message: z.string(),
    project_id: z.string(),
    dispatch: z.enum(['queued', 'delayed']),
  })
  .openapi('StageTask')

export const TaskStatusSchema = z
  .object({
    task_id: z.string(),
    project_id: z.string(),
    state: z.enum(['PENDING', 'STARTED', 'PROGRESS', 'RETRY', 'SUCCESS', 'FAILURE', 'REVOKED']),
    result: z
      .object({ success: z.boolean(), task_id: z.string(), channel: z.string(), result: z.unknown() })
      .nullable()
      .openapi({ description: 'Once the task has ended' }),
    info: z.object({
      progress: z.number(),
      message: z.string().nullable(),
      error: z.string().nullable(),
      retries: z.int(),
    }),
  })
  .openapi('TaskStatus')

export type ExecuteStage = z.input<typeof ExecuteStageSchema>
export type StageTask = z.infer<typeof StageTaskSchema>
export type TaskStatus = z.infer<typeof TaskStatusSchema>
