/** GET /api/v1/logs: lines of all processes or of one, page by page or live. */
import { createRoute, z } from '@hono/zod-openapi'
import { operatorOnly } from '../access.ts'
import type { Api, ApiContext } from '../context.ts'
import type { ApiDeps, LogFrame } from '../deps.ts'
import { createEventStream, EVENT_STREAM_HEADERS } from '../live/event-stream.ts'
import type { Live } from '../live/live.ts'
import { json } from '../schemas/common.ts'
import { LOG_STREAM_CURSOR, LogPageSchema, LogQuerySchema } from '../schemas/logs.ts'
import { problems } from '../schemas/problem.ts'

const route = createRoute({
  method: 'get',
  path: '/api/v1/logs',
  summary: 'Lines of the logs, the newest ones or those since a moment; with follow as server-sent events',
  description:
    'With `follow=true` each event is a LogLine, its id the cursor from which Last-Event-ID goes on. A reader that falls ' +
    'behind what the files keep, also between two connections, is told so by an event `{"lost": <lines>, "process": "…"}`.',
  tags: ['logs'],
  middleware: operatorOnly,
  request: { query: LogQuerySchema, headers: z.object({ 'Last-Event-ID': z.string().optional() }) },
  responses: {
    200: { description: 'Lines', content: { ...json(LogPageSchema), 'text/event-stream': { schema: z.string() } } },
    ...problems('unauthorized', 'not_found', 'invalid_value', 'unavailable'),
  },
})

export function addLogRoute(app: Api, deps: ApiDeps, live: Live): void {
  app.openapi(route, async (c) => {
    const { follow, ...query } = c.req.valid('query')
    if (!follow) return c.json(await deps.logs.page(query), 200)
    return (await answerStream({ deps, live, c }, { ...query, since: resumedFrom(c) ?? query.since })) as never
  })
}

type Asking = { deps: ApiDeps; live: Live; c: ApiContext }
type Query = { process?: string; since?: string; limit: number }

/** What a browser sends on its own when it comes back. */
function resumedFrom(c: ApiContext): string | undefined {
  const last = c.req.header('last-event-id')
  return last !== undefined && LOG_STREAM_CURSOR.test(last) ? last : undefined
}

async function answerStream({ deps, live, c }: Asking, query: Query): Promise<Response> {
  const stop = new AbortController()
  const lines = await deps.logs.follow({ ...query, signal: stop.signal })
  if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM_HEADERS)
  const stream = createEventStream({
    async join(sink) {
      void pump(lines, sink, stop.signal)
      return { leave: () => stop.abort(), cursor: '' }
    },
    onEnd: live.seats.take(),
    closing: c.env?.closing,
    pulse: live.pulse,
    log: deps.log,
  })
  return c.body(stream, 200, EVENT_STREAM_HEADERS)
}

type Sink = Parameters<Parameters<typeof createEventStream>[0]['join']>[0]

/** A reader that is slow gets the next lines when it has read these: nothing is kept for it. */
async function pump(lines: AsyncIterable<LogFrame[]>, sink: Sink, signal: AbortSignal): Promise<void> {
  try {
    for await (const frames of lines)
      for (const { cursor, json: line } of frames) {
        while (!sink.writable()) await untilWritable(sink, signal)
        sink.write(line, cursor)
      }
  } catch {
    // It has left, or the files cannot be read: either way it may come back with its cursor.
  } finally {
    sink.end()
  }
}

/** Throws the signal's reason: a sink that was left calls nobody back. */
async function untilWritable(sink: Sink, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  sink.whenWritable(resolve)
  await promise.finally(() => signal.removeEventListener('abort', onAbort))
}
