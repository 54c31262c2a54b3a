/** One stage on its own: POST execute-stage, and GET task-status with the states that Celery's clients know. */
import { createRoute, z } from '@hono/zod-openapi'
import { AppError } from '../../lib/errors.ts'
import { stageChannel } from '../../redis/keys.ts'
import { readOwned } from '../access.ts'
import { type Api, type ApiContext, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { createIdempotency } from '../idempotency.ts'
import type { Live } from '../live/live.ts'
import { answerTaskStream } from '../live/task-stream.ts'
import { IdSchema, json } from '../schemas/common.ts'
import { IdempotencyHeaderSchema } from '../schemas/idempotency.ts'
import { problems } from '../schemas/problem.ts'
import { ExecuteStageSchema, type StageTask, StageTaskSchema, TaskIdSchema, TaskStatusSchema } from '../schemas/task.ts'

const params = z.object({ id: IdSchema })

const execute = createRoute({
  method: 'post',
  path: '/api/v1/projects/{id}/execute-stage',
  summary: 'Run one stage alone, on an input of its own',
  description: 'With use_streaming the answer is an event stream of LiveMessages that ends with done or error.',
  tags: ['tasks'],
  request: { params, headers: IdempotencyHeaderSchema, body: { required: true, content: json(ExecuteStageSchema) } },
  responses: {
    200: {
      description: 'With use_streaming',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    202: {
      description: 'Accepted',
      headers: z.object({ 'Idempotency-Replayed': z.literal('true').optional() }),
      content: json(StageTaskSchema),
    },
    ...problems('unauthorized', 'not_found', 'wrong_state', 'invalid_json', 'invalid_value', 'wrong_media_type'),
    ...problems('body_too_large', 'missing_program', 'unavailable', 'disk', 'key_reused', 'in_progress'),
    ...problems('artifact_missing'),
  },
})

const status = createRoute({
  method: 'get',
  path: '/api/v1/projects/{id}/task-status',
  summary: 'How a task is getting on; answered from disk',
  tags: ['tasks'],
  request: { params, query: z.object({ task_id: TaskIdSchema }) },
  responses: {
    200: { description: 'Its state', content: json(TaskStatusSchema) },
    ...problems('unauthorized', 'not_found', 'invalid_value'),
  },
})

export function addTaskRoutes(app: Api, deps: ApiDeps, live: Live): void {
  const { once } = createIdempotency({ folder: deps.paths.idempotency, log: deps.log })
  app.openapi(execute, async (c) => {
    const { id } = c.req.valid('param')
    const { stage_name: stage, input_data: input, use_streaming: streams } = c.req.valid('json')
    await readOwned(deps, id, callerOf(c))
    const start = (requestId: string | null) => deps.commands.executeStage(id, { stage, input, requestId })
    const key = c.req.valid('header')['Idempotency-Key']
    if (streams && key !== undefined)
      throw new AppError(
        'invalid_value',
        'An Idempotency-Key does not go with use_streaming: a stream cannot be repeated',
      )
    if (streams) {
      const started = () => start(null)
      return (await answerTaskStream({ deps, live, c }, { id, stage, start: started })) as never // no JSON type
    }
    if (key === undefined) return c.json(taskView(await start(null), stage), 202)
    const run = async (requestId: string) => {
      return { status: 202, location: null, body: taskView(await start(requestId), stage) }
    }
    const request = { [c.req.path]: c.req.valid('json') }
    const { replayed, body } = await once({ user: callerOf(c).name, key, request, run })
    if (replayed) c.header('Idempotency-Replayed', 'true')
    return c.json(body as StageTask, 202)
  })
  app.openapi(status, async (c) => c.json(await readTask(deps, c, c.req.valid('param').id), 200))
}

type Started = Awaited<ReturnType<ApiDeps['commands']['executeStage']>>

function taskView({ state, dispatch, taskId }: Started, stage: string): StageTask {
  const when = dispatch === 'queued' ? 'is queued' : 'starts when Redis is back'
  const channel = stageChannel(state.id, stage)
  return { task_id: taskId, channel, stage, message: `Stage ${stage} ${when}`, project_id: state.id, dispatch }
}

async function readTask(deps: ApiDeps, c: ApiContext, id: string) {
  await readOwned(deps, id, callerOf(c))
  const taskId = c.req.query('task_id') ?? ''
  const task = await deps.projects.task(id, taskId)
  if (!task) throw new AppError('not_found', `Project ${id} has no task ${taskId}`)
  const { task_id, project_id, state, result, info } = task
  return { task_id, project_id, state, result, info }
}
