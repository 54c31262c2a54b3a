/** GET /status: the health of everything, from memory, for people, monitors and clients of the older system. */
import { createRoute, z } from '@hono/zod-openapi'
import { AppError } from '../../lib/errors.ts'
import { momentOf, spanMsOf } from '../../lib/moment.ts'
import { type Api, type ApiContext, callerOf } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { ExplanationBodySchema, StatusQuerySchema } from '../schemas/explanation.ts'
import { problems } from '../schemas/problem.ts'
import { publicStatus, StatusBodySchema, type StatusData } from '../schemas/status.ts'

const route = createRoute({
  method: 'get',
  path: '/status',
  summary: 'Health of the supervisor, Redis, workers, scheduler and queues; or why one process is as it is',
  description: 'Needs no token, but with `explain` the operator’s where one is set.',
  tags: ['health'],
  security: [],
  request: { query: StatusQuerySchema },
  responses: {
    200: {
      description: 'Healthy or degraded; with `explain` the explanation',
      content: json(z.union([StatusBodySchema, ExplanationBodySchema])),
    },
    503: { description: 'Starting, unhealthy or stopping', content: json(StatusBodySchema) },
    ...problems('unauthorized', 'not_found', 'invalid_value'),
  },
})

export function addStatusRoute(app: Api, deps: ApiDeps): void {
  const textFor = { operator: createText((data) => data), others: createText(publicStatus) }
  app.openapi(route, async (c) => {
    const { explain, at } = c.req.valid('query')
    if (explain !== undefined) return answerWhy({ deps, c }, explain, at) as never
    const data = await deps.status()
    const text = c.get('caller')?.operator ? textFor.operator(data) : textFor.others(data)
    const headers = { 'Content-Type': 'application/json' }
    // The text of the schema's JSON: written once for all who are shown the same data.
    return c.body(text, works(data) ? 200 : 503, headers) as never
  })
}

async function answerWhy({ deps, c }: { deps: ApiDeps; c: ApiContext }, process: string, at: string | undefined) {
  if (!callerOf(c).operator) throw new AppError('forbidden', 'Only the operator may ask this')
  const moment = at === undefined ? {} : { atMs: momentOf(at, new Date()), spanMs: spanMsOf(at) }
  return c.json({ success: true, data: await deps.explain({ process, ...moment }) }, 200)
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
