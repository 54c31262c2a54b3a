/** Starts a stage and answers with its live messages, up to the `done` or `error` that ends it. */
import type { Done, Failure, LiveMessage } from '../../stream/events.ts'
import type { Sink } from '../../stream/hub.ts'
import type { ApiContext } from '../context.ts'
import type { ApiDeps } from '../deps.ts'
import { createEventStream, EVENT_STREAM_HEADERS } from './event-stream.ts'
import type { Live } from './live.ts'

type Asking = { deps: ApiDeps; live: Live; c: ApiContext }
type Task = { id: string; stage: string; start: () => Promise<{ taskId: string }> }

/** Throws what `start` throws; nothing is started when there is no place for one more viewer. */
export async function answerTaskStream({ deps, live, c }: Asking, { id, stage, start }: Task): Promise<Response> {
  const leave = live.seats.take()
  try {
    // From before the start: so the end of an earlier run is not taken for the end of this one.
    const { next } = await deps.hub.poll(id, { stage, v: 2, waitMs: 0, signal: c.req.raw.signal })
    const { taskId } = await start()
    const gone = new AbortController()
    const task = { projects: deps.projects, id, stage, taskId, gone: gone.signal }
    const stream = createEventStream({
      join: (sink) => deps.hub.join(id, { stage, since: next, v: 1, sink: endedByResult(sink, task) }),
      onEnd() {
        gone.abort()
        leave()
      },
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

/** `gone` fires when nobody reads any more. */
type Running = { projects: ApiDeps['projects']; id: string; stage: string; taskId: string; gone: AbortSignal }

/** The worker's own last message comes right before or after the status, unless the worker is dead. */
const GRACE_MS = 1_000

/** A task can also end without a word, as one that is withdrawn before it has begun: so the disk is asked too. */
const LOOK_MS = 3_000

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** Only one run of a stage goes on at a time: what is told after one of these is told of the run that was asked for. */
const BEGUN: ReadonlySet<string> = new Set(['processing', 'restarted'])

function endedByResult(sink: Sink, task: Running): Sink {
  let late: NodeJS.Timeout | undefined
  let last: Place = { seq: 0, cursor: '' }
  let hasBegun = false
  const looking = setInterval(() => void look(), LOOK_MS).unref()
  const stop = () => {
    clearInterval(looking)
    clearTimeout(late)
  }
  task.gone.addEventListener('abort', stop, { once: true })
  if (task.gone.aborted) stop()

  function end(): void {
    stop()
    sink.end()
  }

  function endSoon(end: End): void {
    late ??= setTimeout(() => void endFromDisk(end), GRACE_MS).unref()
  }

  async function look(): Promise<void> {
    const found = await task.projects.task(task.id, task.taskId).catch(() => undefined) // the next look tells
    if (found?.result && !task.gone.aborted)
      endSoon({ isDone: found.result.success, why: `The task is ${found.state}` })
  }

  async function endFromDisk(how: End): Promise<void> {
    const message = await resultOf(task, how, last.seq).catch(() => undefined) // the disk fails: it ends without
    if (message) sink.write(JSON.stringify(message), last.cursor)
    end()
  }

  return {
    ...sink,
    end,
    write(frame, cursor) {
      const message = parseRare(String(frame))
      const status = message?.type === 'stage_update' ? message.status : null
      const isEnd = message?.type === 'done' || (message?.type === 'error' && !message.will_retry)
      if (status !== null && BEGUN.has(status)) hasBegun = true
      if (!hasBegun && isEnd) return void look() // of the run before, which told its end later than it wrote it down
      sink.write(frame, cursor)
      if (message && 'seq' in message) last = { seq: message.seq, cursor }
      if (isEnd) return end()
      if (status === null || !ENDED.has(status)) return
      if (hasBegun) endSoon({ isDone: status === 'completed', why: `The stage is ${status}` })
      else void look()
    },
  }
}

type Place = { seq: number; cursor: string }
type End = { isDone: boolean; why: string }

/** Tokens are most of all messages and end nothing; inside a text the quotes would be escaped. */
function parseRare(frame: string): LiveMessage | undefined {
  return frame.includes('"type":"token"') ? undefined : (JSON.parse(frame) as LiveMessage)
}

/** What the stage's worker would have said: `done` with the text, or `error`. */
async function resultOf({ projects, id, stage: name }: Running, end: End, seq: number): Promise<Done | Failure> {
  const stage = (await projects.read(id))?.stages.find((s) => s.name === name)
  const place = { stage: name, seq, project_id: id, timestamp: Date.now() / 1_000 }
  if (!end.isDone) {
    const error = stage?.error?.message ?? end.why
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
