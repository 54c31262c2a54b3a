/** All WebSockets of the server: how they are opened, watched, and closed together. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Log } from '../../lib/log.ts'
import { SUBPROTOCOL } from '../auth.ts'
import { createPulse, type Pulse } from './pulse.ts'

export type Handshake = { request: IncomingMessage; socket: Duplex; head: Buffer }

export type SocketServer = {
  /** `open` gets the socket once the handshake is done; when it fails, the peer gets an answer and `open` is not called. */
  accept(handshake: Handshake, open: (socket: WebSocket) => void): void
  /** Tells all viewers to come back later (1012); the caller cuts off those that do not leave. */
  close(): void
  readonly size: number
}

/** How often all sockets are looked at. */
export const BEAT_MS = 5_000

/** In beats: when a silent peer is pinged, and how long it then has to answer. */
const PING_AFTER = 5
const SILENCE = 2
/** An answer may wait behind frames that a slow reader has not read yet: it gets more time, though not for ever. */
const SLOW_SILENCE = 24

/** Frames from viewers are small: pings. */
export const MAX_FRAME_BYTES = 64 * 1024

const SERVICE_RESTART = 1012

export function createSocketServer(log: Log, beatMs = BEAT_MS): SocketServer {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  const pulse = createPulse(beatMs)
  let closing = false
  return {
    get size() {
      return server.clients.size
    },
    accept({ request, socket, head }, open) {
      server.handleUpgrade(request, socket, head, (live) => {
        live.on('error', (error) => reportFault(log, error))
        if (closing) return live.close(SERVICE_RESTART)
        watch(live, pulse)
        open(live)
      })
    },
    close() {
      closing = true
      for (const live of server.clients) live.close(SERVICE_RESTART, 'The server stops; come back with your cursor')
    },
  }
}

/** Counts beats, not time: after a moment in which our own loop stood still, nobody is taken for silent. */
function watch(live: WebSocket, pulse: Pulse): void {
  let quiet = 0
  const heard = () => {
    quiet = 0
  }
  const leave = pulse.add(() => {
    quiet++
    if (quiet === PING_AFTER) live.ping()
    else if (quiet >= PING_AFTER + (live.bufferedAmount > 0 ? SLOW_SILENCE : SILENCE)) live.terminate()
  })
  live.on('message', heard).on('pong', heard).on('ping', heard).once('close', leave)
}

/** ws closes the connection itself, with the code that fits. */
function reportFault(log: Log, error: Error & { code?: string }): void {
  if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    log.warn({ limit: MAX_FRAME_BYTES }, 'closed a viewer that sent a frame over the limit')
  else log.debug({ error }, 'a live connection broke')
}
