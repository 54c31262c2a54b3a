/** Frames as server-sent events (WHATWG HTML 9.2): with back-pressure, a heartbeat, and an end on every way out. */
import type { Log } from '../../lib/log.ts'
import type { Sink, Viewer } from '../../stream/hub.ts'
import type { Pulse } from './pulse.ts'

/** Above this a viewer counts as busy: the hub then merges what comes instead of queueing it here. */
const BUSY_BYTES = 64 * 1024

/** How long a browser waits before it connects again; its own default is several seconds. */
const RETRY_MS = 1_000

const HEARTBEAT = Buffer.from(': \n\n')

export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // Proxies (nginx) would collect events before they pass them on.
  'X-Accel-Buffering': 'no',
}

export type EventStreamOptions = {
  join: (sink: Sink) => Promise<Viewer>
  pulse: Pulse
  log: Log
  /** Ends the stream; the browser comes back with its cursor. */
  closing?: AbortSignal
  /** Called once, however it ended. */
  onEnd: () => void
}

export function createEventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  let viewing: ReturnType<typeof openView> | undefined
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        viewing = openView(controller, options)
      },
      pull: () => viewing?.pulled(),
      cancel: () => viewing?.leave(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUSY_BYTES }),
  )
}

type Controller = ReadableStreamDefaultController<Uint8Array>

function openView(controller: Controller, { join, pulse, log, closing, onEnd }: EventStreamOptions) {
  let open = true
  let waiting: (() => void) | undefined
  const writable = () => open && (controller.desiredSize ?? 0) > 0
  const pulled = () => {
    if (waiting === undefined || !writable()) return
    const callback = waiting
    waiting = undefined
    callback()
  }
  const stopPulse = pulse.add(() => writable() && controller.enqueue(HEARTBEAT))
  const leave = () => {
    if (!open) return
    open = false
    stopPulse()
    closing?.removeEventListener('abort', end)
    joined.then((viewer) => viewer.leave()).catch(() => {}) // one that could not join, which is logged below
    onEnd()
  }
  const end = () => {
    if (!open) return
    leave()
    controller.close()
  }
  const sink: Sink = {
    writable,
    write(frame, cursor) {
      if (open) controller.enqueue(eventOf(frame, cursor))
    },
    whenWritable(callback) {
      waiting = callback
      if (writable()) queueMicrotask(pulled)
    },
    end,
  }
  controller.enqueue(Buffer.from(`retry: ${RETRY_MS}\n\n`))
  // In a later turn, because it may end the stream at once.
  const joined = Promise.resolve().then(() => join(sink))
  joined.catch((error) => {
    log.error({ error }, 'a viewer could not join')
    end()
  })
  closing?.addEventListener('abort', end, { once: true })
  if (closing?.aborted) end()
  return { pulled, leave }
}

/** A frame is JSON on one line. */
function eventOf(frame: Buffer | string, cursor: string): Buffer {
  const head = cursor === '' ? 'data: ' : `id: ${cursor}\ndata: `
  if (typeof frame === 'string') return Buffer.from(`${head}${frame}\n\n`)
  return Buffer.concat([Buffer.from(head), frame, Buffer.from('\n\n')])
}
