/** POST /api/v1/ws-tickets: lets its caller in once, where neither a header nor a cookie can be sent. */
import { createRoute } from '@hono/zod-openapi'
import { type Api, callerOf } from '../context.ts'
import { json } from '../schemas/common.ts'
import { WsTicketSchema } from '../schemas/live.ts'
import { problems } from '../schemas/problem.ts'
import { TICKET_LIFE_MS, type Tickets } from '../tickets.ts'

const route = createRoute({
  method: 'post',
  path: '/api/v1/ws-tickets',
  summary: 'A ticket for one live connection, good for 30 s',
  tags: ['live'],
  responses: {
    201: { description: 'Send it as `?ticket=`', content: json(WsTicketSchema) },
    ...problems('unauthorized', 'wrong_media_type', 'body_too_large'),
  },
})

export function addTicketRoute(app: Api, tickets: Tickets): void {
  app.openapi(route, (c) => c.json({ ticket: tickets.issue(callerOf(c)), expires_in_s: TICKET_LIFE_MS / 1000 }, 201))
}
