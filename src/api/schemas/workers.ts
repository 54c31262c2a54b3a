/** Worker processes on the wire, and what an operator can ask of them. */
import { z } from '@hono/zod-openapi'
import { BlockedSchema } from './status.ts'

/** Names of processes: a slot (`io-1`), or while it is replaced `io-1.next` and `io-1.old`. */
export const ProcessNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/)
  .openapi({ example: 'io-1' })

const LastExitSchema = z.object({
  reason: z.string(),
  at: z.iso.datetime(),
  code: z.int().nullable(),
  signal: z.string().nullable(),
})

const ActiveJobSchema = z.object({ project_id: z.string(), stage: z.string(), since: z.iso.datetime() })

export const PHASES = [
  'idle',
  'waiting',
  'starting',
  'ready',
  'killing',
  'stopping',
  'backoff',
  'parked',
  'stopped',
] as const

export const WorkerProcessSchema = z
  .object({
    name: z.string(),
    group: z.string(),
    queues: z.array(z.string()),
    slot: z.string().openapi({ description: 'Its name while it is not being replaced' }),
    role: z.enum(['current', 'next', 'old']).openapi({ description: 'next: comes up; old: finishes what it has' }),
    pid: z.int().nullable(),
    phase: z.enum(PHASES),
    alive: z.boolean(),
    ready: z.boolean(),
    cpu_percent: z.number(),
    rss_bytes: z.number(),
    uptime_s: z.number(),
    restarts: z.int().openapi({ description: 'Planned ones included' }),
    last_exit: LastExitSchema.nullable(),
    jobs_done: z.int().openapi({ description: 'Since its process started, however they ended' }),
    active: z.array(ActiveJobSchema),
    blocked: BlockedSchema.nullable().openapi({ description: 'It should give signs of life and does not' }),
    beat_age_s: z
      .number()
      .nullable()
      .openapi({ description: 'Since its last sign of life; null while it has none to give' }),
  })
  .openapi('WorkerProcess')

export const WorkerListSchema = z.object({ items: z.array(WorkerProcessSchema) }).openapi('WorkerList')

export const RestartAnswerSchema = z.object({ name: z.string(), message: z.string() }).openapi('RestartAnswer')

/** So many processes of one group are more than a machine has use for. */
const MAX_PROCESSES = 32

export const ScaleSchema = z
  .strictObject({ group: z.string().openapi({ example: 'io' }), processes: z.int().min(1).max(MAX_PROCESSES) })
  .openapi('Scale')

export const ScaleAnswerSchema = z
  .object({
    group: z.string(),
    processes: z.int(),
    names: z.array(z.string()).openapi({ description: 'The processes that serve the group from now on' }),
    message: z.string(),
  })
  .openapi('ScaleAnswer')

export type WorkerProcess = z.infer<typeof WorkerProcessSchema>
export type WorkerList = z.infer<typeof WorkerListSchema>
export type RestartAnswer = z.infer<typeof RestartAnswerSchema>
export type Scale = z.infer<typeof ScaleSchema>
export type ScaleAnswer = z.infer<typeof ScaleAnswerSchema>
