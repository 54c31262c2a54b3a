/** The outermost middleware: every answer has a request id and the security headers, whatever happens inside. */
import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { isId } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { problemResponse } from './problem.ts'

/** What a route sets itself wins. The policy is for answers that no page is made of: HTML and files bring their own. */
const DEFAULTS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
}

export function createFrame(log: Log): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const asked = c.req.header('x-request-id')
    const requestId = asked !== undefined && isId(asked) ? asked : randomUUID()
    c.set('requestId', requestId)
    const outgoing = c.env?.outgoing
    if (outgoing) setDefaults(outgoing, requestId)
    await next().catch((thrown) => {
      // Errors end in onError; this is for code that throws something else.
      c.res = problemResponse(thrown, c, log)
    })
    if (!outgoing) addDefaults(c.res.headers, requestId)
  }
}

/** Node's own response takes defaults that the app's headers override later: half the cost of the Headers class. */
function setDefaults(outgoing: NonNullable<ApiContext['env']['outgoing']>, requestId: string): void {
  outgoing.setHeader('X-Request-Id', requestId)
  for (const name in DEFAULTS) outgoing.setHeader(name, DEFAULTS[name as keyof typeof DEFAULTS])
}

/** Without a socket (tests), and for an upgrade that is refused. */
function addDefaults(headers: Headers, requestId: string): void {
  headers.set('X-Request-Id', requestId)
  for (const [name, value] of Object.entries(DEFAULTS)) if (!headers.has(name)) headers.set(name, value)
}
