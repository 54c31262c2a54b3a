/** GET /metrics: the numbers of everything, in the text format of Prometheus. */
import { createRoute, z } from '@hono/zod-openapi'
import { operatorOnly } from '../access.ts'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import type { Live } from '../live/live.ts'
import { problems } from '../schemas/problem.ts'

const route = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Processes, queues, stages, streams and Redis as Prometheus metrics',
  tags: ['health'],
  middleware: operatorOnly,
  responses: {
    200: { description: 'Text format 0.0.4', content: { 'text/plain': { schema: z.string() } } },
    ...problems('unauthorized'),
  },
})

export function addMetricsRoute(app: Api, { metrics, maxSockets }: ApiDeps, { seats }: Live): void {
  app.openapi(route, async (c) => {
    const { text, contentType } = await metrics({ taken: seats.taken, max: maxSockets })
    return c.text(text, 200, { 'Content-Type': contentType })
  })
}
