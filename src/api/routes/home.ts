/** GET /: a plain page that says what runs here and where to look. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { problems } from '../schemas/problem.ts'

const route = createRoute({
  method: 'get',
  path: '/',
  summary: 'A page with links',
  tags: ['pages'],
  security: [],
  responses: { 200: { description: 'HTML', content: { 'text/html': { schema: z.string() } } }, ...problems() },
})

export function addHomeRoute(app: Api, deps: ApiDeps): void {
  const page = pageFor(deps.version)
  app.openapi(route, (c) => c.html(page))
}

function pageFor(version: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Showrunner</title></head>
<body>
<main>
<h1>Showrunner ${version}</h1>
<ul>
<li><a href="/status">Status</a></li>
<li><a href="/api/v1/projects">Projects</a></li>
<li><a href="/api/v1/pipelines">Pipelines</a></li>
<li><a href="/openapi.json">The API, as OpenAPI 3.1</a></li>
</ul>
</main>
</body>
</html>
`
}
