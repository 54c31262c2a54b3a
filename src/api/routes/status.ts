/** GET /status: the health of everything, from memory, for people, monitors and clients of the older system. */
import { createRoute } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { publicStatus, StatusBodySchema } from '../schemas/status.ts'

const route = createRoute({
  method: 'get',
  path: '/status',
  summary: 'Health of the supervisor, Redis, workers, scheduler and queues',
  tags: ['health'],
  security: [],
  responses: {
    200: { description: 'Healthy or degraded', content: json(StatusBodySchema) },
    503: { description: 'Starting, unhealthy or stopping', content: json(StatusBodySchema) },
    ...problems(),
  },
})

export function addStatusRoute(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const data = await deps.status()
    const works = data.status === 'healthy' || data.status === 'degraded'
    const shown = c.get('caller')?.operator ? data : publicStatus(data)
    return c.json({ success: works, data: shown }, works ? 200 : 503)
  })
}
