/** GET …/events: live messages as server-sent events, or page by page for who asks for JSON. */
import { createRoute, z } from '@hono/zod-openapi'
import type { Api, ApiContext } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { createEventStream, EVENT_STREAM_HEADERS } from '../live/event-stream.ts'
import type { Live } from '../live/live.ts'
import { readViewRequest, type ViewRequest } from '../live/view-request.ts'
import { IdSchema, json } from '../schemas/common.ts'
import { CURSOR_PATTERN, EventPageSchema, EventsQuerySchema } from '../schemas/live.ts'
import { problems } from '../schemas/problem.ts'

const route = createRoute({
  method: 'get',
  path: '/api/v1/projects/{id}/events',
  summary: 'Live messages of a project, as server-sent events or by long polling',
  description:
    'Each event is a LiveMessage, its id the cursor from which Last-Event-ID or `since` goes on. With ' +
    '`Accept: application/json` the answer is a page, after up to `wait` seconds when there is nothing yet.',
  tags: ['live'],
  request: {
    params: z.object({ id: IdSchema }),
    query: EventsQuerySchema,
    headers: z.object({ 'Last-Event-ID': z.string().optional() }),
  },
  responses: {
    200: {
      description: 'Messages',
      content: { ...json(EventPageSchema), 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'The project has ended and the cursor is at its end' },
    ...problems('unauthorized', 'not_found', 'invalid_value', 'unavailable'),
  },
})

export function addEventRoute(app: Api, deps: ApiDeps, live: Live): void {
  app.openapi(route, async (c) => {
    const { stage, wait, ...query } = c.req.valid('query')
    const request = await readViewRequest(deps, c, { ...c.req.valid('param'), stage, query })
    if (wantsPages(c)) return c.json(await readPage({ deps, live, c }, request, wait * 1000), 200)
    const since = resumedFrom(c) ?? request.since
    return (await answerStream({ deps, live, c }, { ...request, since })) as never // a stream has no JSON type
  })
}

type Asking = { deps: ApiDeps; live: Live; c: ApiContext }

/** `* / *` and none mean the default, which is a stream. */
function wantsPages(c: ApiContext): boolean {
  const accepted = c.req.header('accept') ?? ''
  return accepted.includes('application/json') && !accepted.includes('text/event-stream')
}

/** What a browser sends on its own; it wins, because the address still has the first cursor. A foreign value is none. */
function resumedFrom(c: ApiContext): string | undefined {
  const last = c.req.header('last-event-id')
  return last !== undefined && CURSOR_PATTERN.test(last) ? last : undefined
}

async function readPage({ deps, live, c }: Asking, { id, ...options }: ViewRequest, waitMs: number) {
  const leave = live.seats.take()
  try {
    const signals = [c.req.raw.signal, ...(c.env?.closing ? [c.env.closing] : [])]
    return await deps.hub.poll(id, { ...options, waitMs, signal: AbortSignal.any(signals) })
  } finally {
    leave()
  }
}

async function answerStream({ deps, live, c }: Asking, { id, ...options }: ViewRequest): Promise<Response> {
  if (options.since !== undefined && (await deps.hub.isAtEnd(id, options.since))) return c.body(null, 204)
  if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM_HEADERS)
  const stream = createEventStream({
    join: (sink) => deps.hub.join(id, { ...options, sink, endWithProject: true }),
    onEnd: live.seats.take(),
    closing: c.env?.closing,
    pulse: live.pulse,
    log: deps.log,
  })
  return c.body(stream, 200, EVENT_STREAM_HEADERS)
}
