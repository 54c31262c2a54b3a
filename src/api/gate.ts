/** Who and what may come in, cheapest check first: Host, Origin, token, media type. */
import type { MiddlewareHandler } from 'hono'
import { AppError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { type Authenticator, type Credentials, OPERATOR } from './auth.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { type HostRule, isAllowedHost, isAllowedOrigin } from './host.ts'

export type GateOptions = { auth: Authenticator; allowedHosts: readonly string[]; log: Log }

/** Reachable without a token; each leaves out what a stranger should not know. */
const OPEN_PATHS = new Set(['/', '/status', '/livez', '/readyz', '/login'])

export function createGate({ auth, allowedHosts, log }: GateOptions): MiddlewareHandler<ApiEnv> {
  return (c, next) => {
    const socket = c.env?.incoming?.socket
    const rule = { extra: allowedHosts, localAddress: socket?.localAddress, localPort: socket?.localPort }
    checkHost(c, rule, log)
    const caller = auth.required ? auth.identify(credentialsOf(c)) : OPERATOR
    if (!caller && !OPEN_PATHS.has(c.req.path))
      throw new AppError('unauthorized', 'Send a token as Authorization: Bearer')
    c.set('caller', caller)
    checkMediaType(c)
    return next()
  }
}

/** Where the browser's own API can set no header. */
const LIVE_PATH = /^\/ws\/|\/events\/?$/

function credentialsOf(c: ApiContext): Credentials {
  const known = { authorization: c.req.header('authorization'), cookie: c.req.header('cookie') }
  if (!LIVE_PATH.test(c.req.path)) return known
  return { ...known, ticket: c.req.query('ticket'), protocols: c.req.header('sec-websocket-protocol') }
}

/** The log names what came and the setting that would allow it: the answer alone helps nobody behind a proxy. */
function checkHost(c: ApiContext, rule: HostRule, log: Log): void {
  const host = c.req.header('host') ?? new URL(c.req.url).host
  if (!isAllowedHost(host, rule)) {
    log.warn({ host, port: rule.localPort, allowed: rule.extra }, 'refused a foreign Host; ALLOWED_HOSTS adds names')
    throw new AppError('forbidden', 'This Host is not ours; the setting ALLOWED_HOSTS adds names')
  }
  const origin = c.req.header('origin')
  if (origin !== undefined && !isAllowedOrigin(origin, host, rule)) {
    log.warn({ origin, host, allowed: rule.extra }, 'refused a foreign Origin; ALLOWED_HOSTS adds names')
    throw new AppError('forbidden', 'This Origin is not ours; the setting ALLOWED_HOSTS adds names')
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const JSON_TYPE = /^application\/json *(; *charset="?utf-8"?)?$/i

/** A form of a foreign page can send other types without asking; JSON it cannot. An empty body needs no type. */
function checkMediaType(c: ApiContext): void {
  if (SAFE.has(c.req.method)) return
  const type = c.req.header('content-type')
  if (type === undefined ? hasBody(c) : !JSON_TYPE.test(type))
    throw new AppError('wrong_media_type', 'Send application/json in UTF-8')
  const encoding = c.req.header('content-encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new AppError('wrong_media_type', 'Send the body without a Content-Encoding')
}

function hasBody(c: ApiContext): boolean {
  const length = c.req.header('content-length')
  return length !== undefined ? length !== '0' : c.req.header('transfer-encoding') !== undefined
}
