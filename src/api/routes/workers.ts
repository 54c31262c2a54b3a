/** GET /api/v1/workers, and what an operator does with them: restart one by name, scale a group. */
import { createRoute, z } from '@hono/zod-openapi'
import { operatorOnly } from '../access.ts'
import { type Api, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import * as schemas from '../schemas/workers.ts'

const PATH = '/api/v1/workers'
const tags = ['workers']
const middleware = operatorOnly

const list = createRoute({
  method: 'get',
  path: PATH,
  summary: 'Worker processes, those on their way in or out included',
  tags,
  middleware,
  responses: {
    200: { description: 'All of them', content: json(schemas.WorkerListSchema) },
    ...problems('unauthorized'),
  },
})

const restart = createRoute({
  method: 'post',
  path: `${PATH}/{name}/restart`,
  summary: 'Put a fresh process in the place of this one',
  description:
    'The new process serves before the old one is drained: running stages are handed over at their next step, or run ' +
    'to their end. One that is parked or waits for its next try is started now. Also takes `scheduler`.',
  tags,
  middleware,
  request: { params: z.object({ name: schemas.ProcessNameSchema }) },
  responses: {
    202: { description: 'It is on its way', content: json(schemas.RestartAnswerSchema) },
    ...problems('unauthorized', 'not_found', 'wrong_state', 'wrong_media_type', 'body_too_large'),
  },
})

const scale = createRoute({
  method: 'post',
  path: `${PATH}/scale`,
  summary: 'Give a group so many processes',
  description:
    'Concurrency per queue stays the total over all processes. Those that go are drained. It is not remembered over a ' +
    'restart of the program: the setting WORKERS is.',
  tags,
  middleware,
  request: { body: { required: true, content: json(schemas.ScaleSchema) } },
  responses: {
    202: { description: 'It is on its way', content: json(schemas.ScaleAnswerSchema) },
    ...problems('unauthorized', 'not_found', 'wrong_state', 'wrong_media_type', 'body_too_large'),
    ...problems('invalid_json', 'invalid_value'),
  },
})

export function addWorkerRoutes(app: Api, { workforce }: ApiDeps): void {
  app.openapi(list, (c) => c.json({ items: workforce.list() }, 200))
  app.openapi(restart, (c) => c.json(workforce.restart(c.req.valid('param').name, callerOf(c).name), 202))
  app.openapi(scale, (c) => c.json(workforce.scale(c.req.valid('json'), callerOf(c).name), 202))
}
