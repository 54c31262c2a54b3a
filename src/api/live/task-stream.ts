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
    const next = await placeBefore({ deps, c }, id, stage)
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

/** Without Redis a worker gives up sooner. */
const LAST_WORD_MS = 1_500

/** A run is written down as completed a moment before its `done` and its status are told: they are waited for. */
async function placeBefore({ deps, c }: Omit<Asking, 'live'>, id: string, stage: string): Promise<string> {
  const { hub, projects } = deps
  const asked = { stage, v: 2, signal: c.req.raw.signal } as const
  const earlier = (await projects.read(id))?.stages.find(({ name }) => name === stage)
  const deadlineMs = performance.now() + LAST_WORD_MS
  const heard: LiveMessage[] = []
  const isTold = () =>
    heard.some(({ type }) => type === 'done') &&
    heard.some((one) => (one.type === 'connected' && one.stages[stage] === 'completed') || isCompletion(one))
  for (let since: string | undefined, waitMs = 0; ; waitMs = deadlineMs - performance.now()) {
    const { events, next, closed } = await hub.poll(id, { ...asked, since, waitMs: Math.max(0, waitMs) })
    heard.push(...events)
    const isOver = closed || asked.signal.aborted || performance.now() >= deadlineMs
    if (earlier?.status !== 'completed' || isTold() || isOver) return next
    since = next
  }
}

function isCompletion(message: LiveMessage): boolean {
  return message.type === 'stage_update' && message.status === 'completed'
}

/** `gone` fires when nobody reads any more. */
type Running = { projects: ApiDeps['projects']; id: string; stage: string; taskId: string; gone: AbortSignal }

/** The worker's own last message comes right before or after the status, unless the worker is dead. */
const GRACE_MS = 1_000

/** A task can also end without a word, as one that is withdrawn before it has begun: so the disk is asked too. */
const LOOK_MS = 3_000

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

function endedByResult(sink: Sink, task: Running): Sink {
  let late: NodeJS.Timeout | undefined
  let last: Place = { seq: 0, cursor: '' }
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
      sink.write(frame, cursor)
      const message = parseRare(String(frame))
      if (message && 'seq' in message) last = { seq: message.seq, cursor }
      if (message?.type === 'done' || (message?.type === 'error' && !message.will_retry)) return end()
      if (message?.type === 'stage_update' && ENDED.has(message.status))
        endSoon({ isDone: message.status === 'completed', why: `The stage is ${message.status}` })
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
