/** GET /ws/…: live messages over WebSocket, for a project or one of its stages. */
import type { Socket } from 'node:net'
import { createRoute, z } from '@hono/zod-openapi'
import { AppError } from '../../lib/errors.ts'
import type { Api, ApiContext } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import type { Live } from '../live/live.ts'
import { openSocketViewer } from '../live/socket-viewer.ts'
import { readViewRequest } from '../live/view-request.ts'
import { IdSchema, NameSchema } from '../schemas/common.ts'
import { PingMessageSchema, PongMessageSchema, type ViewQuery, ViewQuerySchema } from '../schemas/live.ts'
import { problems } from '../schemas/problem.ts'

const shared = {
  method: 'get' as const,
  tags: ['live'],
  description:
    'Messages are JSON text frames, each a LiveMessage. A PingMessage is answered by a PongMessage. A token can be sent ' +
    'as a subprotocol after `showrunner`. Close codes: 4400 a wrong value, 4401 no token, 4404 no such project or stage, ' +
    '4429 too many viewers or messages, 1009 a frame over 64 KiB, 1012 the server stops.',
  responses: {
    101: { description: 'A WebSocket that carries LiveMessages' },
    ...problems('unauthorized', 'not_found', 'invalid_value', 'upgrade_required', 'unavailable'),
  },
}

const ofProject = createRoute({
  ...shared,
  path: '/ws/projects/{id}',
  summary: 'All live messages of a project, over WebSocket',
  request: { params: z.object({ id: IdSchema }), query: ViewQuerySchema },
})

const ofStage = createRoute({
  ...shared,
  path: '/ws/projects/{id}/stage/{stage}',
  summary: 'Live messages of one stage, over WebSocket',
  request: { params: z.object({ id: IdSchema, stage: NameSchema }), query: ViewQuerySchema },
})

const MESSAGES = { PingMessage: PingMessageSchema, PongMessage: PongMessageSchema }

export function addSocketRoutes(app: Api, deps: ApiDeps, live: Live): void {
  // No answer has these in it, so they are put into the document by name.
  for (const [name, schema] of Object.entries(MESSAGES)) app.openAPIRegistry.register(name, schema)
  app.openapi(ofProject, (c) => accept({ deps, live, c }, c.req.valid('param'), c.req.valid('query')))
  app.openapi(ofStage, (c) => accept({ deps, live, c }, c.req.valid('param'), c.req.valid('query')))
}

type Asking = { deps: ApiDeps; live: Live; c: ApiContext }

/** The answer is not sent: the socket is. */
async function accept({ deps, live, c }: Asking, place: { id: string; stage?: string }, query: ViewQuery) {
  const request = await readViewRequest(deps, c, { ...place, query })
  const { upgrade, incoming } = c.env ?? {}
  if (!upgrade) throw new AppError('upgrade_required', 'Ask for this path with a WebSocket')
  seatFor(live, incoming?.socket)
  upgrade.accept((socket) => openSocketViewer(socket, { hub: deps.hub, request, log: deps.log }))
  return c.body(null, 204) as never
}

/** Held until the connection itself is gone, which also covers a handshake that fails after this. */
function seatFor({ seats }: Live, connection: Socket | undefined): void {
  if (connection?.destroyed) return
  const leave = seats.take()
  connection?.once('close', leave)
}
