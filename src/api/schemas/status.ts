/** The body of /status, its public form, and the health checks. Optional fields are the operator's details. */
import { z } from '@hono/zod-openapi'

const ActiveSchema = z.object({ project_id: z.string(), stage: z.string(), since: z.iso.datetime() })

export const BlockedSchema = z.object({
  since_s: z.number(),
  where: z.string().nullable().openapi({ description: 'Function and line in which its main thread is' }),
  task_id: z.string().nullable(),
})

const WorkerSchema = z
  .object({
    name: z.string(),
    group: z.string(),
    pid: z.int().nullable(),
    alive: z.boolean(),
    ready: z.boolean(),
    restarts: z.int(),
    rss_bytes: z.number().nullable(),
    cpu_percent: z.number().nullable(),
    uptime_s: z.number().nullable(),
    active: z.array(ActiveSchema),
    last_exit: z.string().nullable(),
    blocked: BlockedSchema.nullable(),
  })
  .openapi('Worker')

const RedisSchema = z.object({
  running: z.boolean(),
  process: z.boolean(),
  mode: z.enum(['spawned', 'attached']).nullable(),
  pid: z.int().nullable().optional(),
  latency_ms: z.number().nullable(),
})

const ServicesSchema = z.object({
  redis: RedisSchema,
  worker: z.object({ process: z.boolean(), alive: z.boolean(), workers: z.array(WorkerSchema).optional() }),
  scheduler: z.object({
    process: z.boolean(),
    alive: z.boolean(),
    pid: z.int().nullable().optional(),
    restarts: z.int(),
  }),
  beat: z.object({ process: z.boolean(), alive: z.boolean() }),
})

export const HEALTH = ['starting', 'healthy', 'degraded', 'unhealthy', 'stopping'] as const

export const StatusDataSchema = z
  .object({
    status: z.enum(HEALTH),
    message: z.string(),
    version: z.string(),
    pid: z.int().optional(),
    uptime_s: z.number(),
    services: ServicesSchema,
    queues: z
      .record(z.string(), z.object({ waiting: z.int(), active: z.int(), failed: z.int() }))
      .openapi({ description: 'Jobs that wait and run now, and stages that have failed since the program began' }),
    projects: z.object({ running: z.int(), interrupted: z.int(), failed: z.int() }),
  })
  .openapi('StatusData')

export const StatusBodySchema = z
  .object({ success: z.boolean().openapi({ description: 'True with 200, false with 503' }), data: StatusDataSchema })
  .openapi('Status')

export const LiveSchema = z.object({ status: z.literal('alive'), uptime_s: z.number() }).openapi('Live')

export const ReadySchema = z
  .object({
    ready: z.boolean(),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), message: z.string().nullable() })),
  })
  .openapi('Ready')

export type StatusData = z.infer<typeof StatusDataSchema>
export type StatusBody = z.infer<typeof StatusBodySchema>
export type Live = z.infer<typeof LiveSchema>
export type Ready = z.infer<typeof ReadySchema>

/** What a stranger may know while a token is set: no pids, no work, no words that could hold paths. */
export function publicStatus(data: StatusData): StatusData {
  const { redis, worker, scheduler, beat } = data.services
  const { pid: _own, ...shown } = data
  const { pid: _redis, ...redisShown } = redis
  const { pid: _scheduler, ...schedulerShown } = scheduler
  return {
    ...shown,
    message: `the service is ${data.status}`,
    services: {
      redis: redisShown,
      worker: { process: worker.process, alive: worker.alive },
      scheduler: schedulerShown,
      beat,
    },
  }
}
