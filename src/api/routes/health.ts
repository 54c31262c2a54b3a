/** GET /livez and /readyz: is the loop alive, and can work be done (as Kubernetes means them). */
import { createRoute } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { LiveSchema, ReadySchema } from '../schemas/status.ts'

const live = createRoute({
  method: 'get',
  path: '/livez',
  summary: 'The process answers',
  tags: ['health'],
  security: [],
  responses: { 200: { description: 'Alive', content: json(LiveSchema) }, ...problems() },
})

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Redis, workers and disk are usable and nothing is draining',
  tags: ['health'],
  security: [],
  responses: {
    200: { description: 'Ready', content: json(ReadySchema) },
    503: { description: 'Not ready', content: json(ReadySchema) },
    ...problems(),
  },
})

export function addHealthRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(live, (c) => {
    const uptimeS = Math.round(performance.now() - deps.startedMs) / 1000
    return c.json({ status: 'alive' as const, uptime_s: uptimeS }, 200)
  })
  app.openapi(ready, async (c) => {
    const { ok, checks } = await deps.ready()
    // A check's words can hold paths of this machine.
    const shown = c.get('caller')?.operator ? checks : checks.map((check) => ({ ...check, message: null }))
    return c.json({ ready: ok, checks: shown }, ok ? 200 : 503)
  })
}
