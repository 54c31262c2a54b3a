/** GET /openapi.json: the description of every route, generated from the schemas that check the requests. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'

const route = createRoute({
  method: 'get',
  path: '/openapi.json',
  summary: 'This document',
  tags: ['pages'],
  responses: {
    200: { description: 'OpenAPI 3.1', content: json(z.record(z.string(), z.unknown())) },
    ...problems('unauthorized'),
  },
})

export function addDocumentRoute(app: Api, deps: ApiDeps): void {
  let text: string | undefined
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
  app.openapi(route, (c) => {
    text ??= JSON.stringify(documentOf(app, deps.version))
    return c.body(text, 200, { 'Content-Type': 'application/json' }) as never // a text that is JSON already
  })
}

function documentOf(app: Api, version: string) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Showrunner',
      version,
      description: 'AI content pipelines on one machine.',
      license: { name: 'MIT' },
    },
    security: [{ token: [] }],
  })
}
