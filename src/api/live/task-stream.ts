/** Starts a stage and answers with its live messages, up to the `done` or `error` that ends it. */
import type { Done, Failure, LiveMessage, StageUpdate } from '../../stream/events.ts'
import type { Sink } from '../../stream/hub.ts'
import type { ApiContext } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { createEventStream, EVENT_STREAM_HEADERS } from './event-stream.ts'
import type { Live } from './live.ts'

type Asking = { deps: ApiDeps; live: Live; c: ApiContext }
type Task = { id: string; stage: string; start: () => Promise<unknown> }

/** Throws what `start` throws; nothing is started when there is no place for one more viewer. */
export async function answerTaskStream({ deps, live, c }: Asking, { id, stage, start }: Task): Promise<Response> {
  const leave = live.seats.take()
  try {
    // From before the start: so the end of an earlier run is not taken for the end of this one.
    const { next } = await deps.hub.poll(id, { stage, v: 2, waitMs: 0, signal: c.req.raw.signal })
    await start()
    const stream = createEventStream({
      join: (sink) => deps.hub.join(id, { stage, since: next, v: 1, sink: endedByResult(sink, deps.projects, id) }),
      onEnd: leave,
      closing: c.env?.closing,
      pulse: live.pulse,
      log: deps.log,
    })
    return c.body(stream, 200, EVENT_STREAM_HEADERS)
  } catch (error) {
    leave()
    throw error
  }
}

/** The worker's own last message comes right before or after the status, unless the worker is dead. */
const GRACE_MS = 1_000

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

function endedByResult(sink: Sink, projects: ApiDeps['projects'], id: string): Sink {
  let late: NodeJS.Timeout | undefined
  const end = () => {
    clearTimeout(late)
    sink.end()
  }
  const endFromDisk = async (update: StageUpdate, cursor: string) => {
    const message = await resultOf(projects, update, id).catch(() => undefined) // the disk fails: it ends without
    if (message) sink.write(JSON.stringify(message), cursor)
    end()
  }
  return {
    ...sink,
    end,
    write(frame, cursor) {
      sink.write(frame, cursor)
      const message = parseRare(String(frame))
      if (message?.type === 'done' || (message?.type === 'error' && !message.will_retry)) return end()
      if (message?.type !== 'stage_update' || !ENDED.has(message.status)) return
      clearTimeout(late)
      late = setTimeout(() => void endFromDisk(message, cursor), GRACE_MS).unref()
    },
  }
}

/** Tokens are most of all messages and end nothing; inside a text the quotes would be escaped. */
function parseRare(frame: string): LiveMessage | undefined {
  return frame.includes('"type":"token"') ? undefined : (JSON.parse(frame) as LiveMessage)
}

/** What the stage's worker would have said: `done` with the text, or `error`. */
async function resultOf(projects: ApiDeps['projects'], update: StageUpdate, id: string): Promise<Done | Failure> {
  const { stage: name, seq, project_id, timestamp, status } = update
  const stage = (await projects.read(id))?.stages.find((s) => s.name === name)
  const place = { stage: name, seq, project_id, timestamp }
  if (status !== 'completed') {
    const error = stage?.error?.message ?? `The stage is ${status}`
    return { type: 'error', error, retry_count: stage?.retries ?? 0, will_retry: false, ...place }
  }
  const { input_tokens = 0, output_tokens = 0 } = stage?.usage ?? {}
  const metadata = {
    latency_ms: stage?.duration_ms ?? 0,
    tokens_used: input_tokens + output_tokens,
    model: stage?.model ?? stage?.provider ?? '',
  }
  return { type: 'done', full_text: (await projects.texts(id))[name] ?? '', metadata, ...place }
}
