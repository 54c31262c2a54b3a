/** GET /status: the health of everything, from memory, for people, monitors and clients of the older system. */
import { createRoute } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { publicStatus, StatusBodySchema, type StatusData } from '../schemas/status.ts'

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
  const textFor = { operator: createText((data) => data), others: createText(publicStatus) }
  app.openapi(route, async (c) => {
    const data = await deps.status()
    const text = c.get('caller')?.operator ? textFor.operator(data) : textFor.others(data)
    const headers = { 'Content-Type': 'application/json' }
    // The text of the schema's JSON: written once for all who are shown the same data.
    return c.body(text, works(data) ? 200 : 503, headers) as never
  })
}

function works({ status }: StatusData): boolean {
  return status === 'healthy' || status === 'degraded'
}

/** The answer as text; the same data gives the same text without being written again. */
function createText(show: (data: StatusData) => StatusData): (data: StatusData) => string {
  let last: { data: StatusData; text: string } | undefined
  return (data) => {
    if (last?.data !== data) last = { data, text: JSON.stringify({ success: works(data), data: show(data) }) }
    return last.text
  }
}
