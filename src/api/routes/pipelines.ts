/** GET /api/v1/pipelines: what can be made here. */
import { createRoute } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { PipelineListSchema } from '../schemas/pipeline.ts'
import { problems } from '../schemas/problem.ts'

const list = createRoute({
  method: 'get',
  path: '/api/v1/pipelines',
  summary: 'Pipelines with their stages, input schemas and examples',
  tags: ['pipelines'],
  responses: {
    200: { description: 'All pipelines', content: json(PipelineListSchema) },
    ...problems('unauthorized'),
  },
})

export function addPipelineRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(list, async (c) => c.json({ items: await deps.pipelines() }, 200))
}
