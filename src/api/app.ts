/** The whole HTTP API as a value: takes what it needs, never listens. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { AppError } from '../lib/errors.ts'
import { createAuthenticator } from './auth.ts'
import type { Api, ApiContext, ApiEnv } from './context.ts'
import type { ApiDeps } from './deps.ts'
import { createFrame } from './frame.ts'
import { createGate } from './gate.ts'
import { createLive, type Live } from './live/live.ts'
import { problemResponse } from './problem.ts'
import { addArtifactRoutes } from './routes/artifacts.ts'
import { addDocumentRoute } from './routes/document.ts'
import { addEventRoute } from './routes/events.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addHomeRoute } from './routes/home.ts'
import { addLoginRoute } from './routes/login.ts'
import { addLogRoute } from './routes/logs.ts'
import { addMetricsRoute } from './routes/metrics.ts'
import { addPipelineRoutes } from './routes/pipelines.ts'
import { addProjectCommandRoutes } from './routes/project-commands.ts'
import { addProjectRoutes } from './routes/projects.ts'
import { addSocketRoutes } from './routes/sockets.ts'
import { addStatusRoute } from './routes/status.ts'
import { addTaskRoutes } from './routes/tasks.ts'
import { addTicketRoute } from './routes/tickets.ts'
import { addWorkerRoutes } from './routes/workers.ts'
import { createTickets } from './tickets.ts'
import { rejectInvalid } from './validation.ts'

export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** One resource per entry; a new resource is a new line. */
const ROUTES: readonly ((app: Api, deps: ApiDeps, live: Live) => void)[] = [
  addStatusRoute,
  addHealthRoutes,
  addHomeRoute,
  addLoginRoute,
  addDocumentRoute,
  addPipelineRoutes,
  addProjectRoutes,
  addProjectCommandRoutes,
  addArtifactRoutes,
  addTaskRoutes,
  addEventRoute,
  addSocketRoutes,
  addWorkerRoutes,
  addMetricsRoute,
  addLogRoute,
]

export function createApp(deps: ApiDeps): Api {
  // Not strict: every path works with and without a slash at its end.
  const app = new OpenAPIHono<ApiEnv>({ strict: false, defaultHook: rejectInvalid })
  app.onError((error, c) => problemResponse(error, c, deps.log))
  app.notFound((c) => problemResponse(unknownRoute(app, c), c, deps.log))
  app.use(createFrame(deps.log))
  const tickets = createTickets()
  const auth = createAuthenticator(deps.auth, tickets.take)
  app.use(createGate({ auth, allowedHosts: deps.allowedHosts, log: deps.log }))
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], '*', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseBody }))
  addTicketRoute(app, tickets)
  const live = createLive(deps)
  for (const add of ROUTES) add(app, deps, live)
  return app
}

function refuseBody(): never {
  throw new AppError('body_too_large', `A body may have up to ${MAX_BODY_BYTES} bytes`)
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** 405 when another method is served at this path, else 404. */
function unknownRoute(app: Api, c: ApiContext): AppError {
  const allowed = METHODS.filter((method) => isServed(app, method, c.req.path))
  if (allowed.length === 0) return new AppError('not_found', `There is nothing at ${c.req.path}`)
  const allow = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : method)).join(', ')
  return new AppError('method_not_allowed', `This path takes ${allow}`, { details: { allow } })
}

/** Middleware is registered for every path and does not count. */
function isServed(app: Api, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.path !== '/*')
}
