/** One viewer on a WebSocket: frames out through a sink with back-pressure, pings in. */
import type { RawData, WebSocket } from 'ws'
import type { Log } from '../../lib/log.ts'
import type { Hub, Sink } from '../../stream/hub.ts'
import type { ViewRequest } from './view-request.ts'

/** Above this a viewer counts as busy: the hub then merges what comes instead of queueing it here. */
const BUSY_BYTES = 64 * 1024

const MESSAGES_PER_S = 20

const TOO_MANY = 4429
const INTERNAL = 1011

type ViewerOptions = { hub: Hub; request: ViewRequest; log: Log }

/** Follows the project until the socket closes. */
export function openSocketViewer(socket: WebSocket, { hub, request, log }: ViewerOptions): void {
  const { id, ...options } = request
  const joined = hub.join(id, { ...options, sink: createSocketSink(socket) })
  joined.catch((error) => {
    log.error({ error, project: id }, 'a viewer could not join')
    socket.close(INTERNAL)
  })
  const hear = createListener(socket)
  socket.on('message', hear)
  socket.once('close', () => {
    joined.then((viewer) => viewer.leave()).catch(() => {}) // one that could not join, which is logged above
  })
}

export function createSocketSink(socket: WebSocket): Sink {
  const isWritable = () => socket.bufferedAmount < BUSY_BYTES
  let waiting: (() => void) | undefined
  // One function for all frames: a closure for each would be most of their cost.
  const sent = () => {
    if (waiting === undefined || !isWritable()) return
    const callback = waiting
    waiting = undefined
    callback()
  }
  return {
    writable: isWritable,
    write: (frame) => socket.send(frame, { binary: false }, sent),
    whenWritable(callback) {
      waiting = callback
      if (isWritable()) queueMicrotask(sent)
    },
    end: () => socket.close(1000),
  }
}

/** Answers pings; ignores what it does not know; closes a socket that talks too much. */
function createListener(socket: WebSocket): (data: RawData, isBinary: boolean) => void {
  let sinceMs = performance.now()
  let count = 0
  return (data, isBinary) => {
    const nowMs = performance.now()
    if (nowMs - sinceMs >= 1_000) {
      sinceMs = nowMs
      count = 0
    }
    count++
    if (count > MESSAGES_PER_S) return socket.close(TOO_MANY, `At most ${MESSAGES_PER_S} messages a second`)
    const pong = isBinary ? undefined : pongFor(String(data))
    // Who asks and does not read gets no answer: answers must not pile up here.
    if (pong !== undefined && socket.bufferedAmount < BUSY_BYTES) socket.send(pong)
  }
}

function pongFor(text: string): string | undefined {
  try {
    const message = JSON.parse(text) as { type?: unknown; timestamp?: unknown } | null
    if (message?.type !== 'ping') return undefined
    return JSON.stringify({ type: 'pong', timestamp: message.timestamp ?? Date.now() / 1000 })
  } catch {
    return undefined // not JSON: nothing that we know
  }
}
