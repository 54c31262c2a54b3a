/** GET /login: trades the one-time secret of a login link for a cookie, so that no lasting token is ever in a URL. */
import { createRoute, z } from '@hono/zod-openapi'
import { AppError } from '../../lib/errors.ts'
import { COOKIE } from '../auth.ts'
import type { Api } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { problems } from '../schemas/problem.ts'

const LIFE_S = 30 * 24 * 3600

const route = createRoute({
  method: 'get',
  path: '/login',
  summary: 'Follow a one-time login link',
  tags: ['pages'],
  security: [],
  request: { query: z.object({ token: z.string().min(1).max(200) }) },
  responses: {
    303: {
      description: 'Logged in; on to the start page',
      headers: z.object({ Location: z.string(), 'Set-Cookie': z.string() }),
    },
    ...problems('unauthorized', 'invalid_value', 'method_not_allowed'),
  },
})

export function addLoginRoute(app: Api, deps: ApiDeps): void {
  app.openapi(route, (c) => {
    // Programs that preview links ask with HEAD; that must not use the secret up.
    if (c.req.method === 'HEAD')
      throw new AppError('method_not_allowed', 'Log in with GET', { details: { allow: 'GET' } })
    const token = deps.auth.oneTime.take(c.req.valid('query').token)
    if (token === undefined) throw new AppError('unauthorized', 'This login link was used already or is too old')
    c.header('Set-Cookie', cookieFor(token))
    return c.redirect('/', 303)
  })
}

function cookieFor(token: string): string {
  return `${COOKIE}=${encodeURIComponent(token)}; Path=/; Max-Age=${LIFE_S}; HttpOnly; SameSite=Strict`
}
