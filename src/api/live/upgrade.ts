/** Answers WebSocket handshakes: the app decides as on any request, and a refusal is a whole HTTP answer with its problem. */
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Log } from '../../lib/log.ts'
import type { Api, Upgrade } from '../context.ts'
import type { Problem } from '../schemas/problem.ts'
import type { Handshake, SocketServer } from './socket-server.ts'

export type UpgradeOptions = { app: Api; sockets: SocketServer; log: Log }

/**
 * A browser shows its page no status of a refused handshake. One that comes from a page of ours gets a connection that
 * closes with the reason; a program, and any page that is not ours, gets the HTTP answer.
 */
const CLOSE_CODES: Record<number, number> = { 400: 4400, 401: 4401, 404: 4404, 422: 4400, 503: 4429 }

export function createUpgradeHandler(options: UpgradeOptions) {
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => {}) // a peer that leaves in the middle of it; the socket closes by itself
    answer(options, { request, socket, head }).catch((error) => {
      options.log.error({ error }, 'a handshake failed unexpectedly')
      socket.destroy()
    })
  }
}

async function answer({ app, sockets }: UpgradeOptions, handshake: Handshake): Promise<void> {
  const { request, socket } = handshake
  let open: Parameters<Upgrade['accept']>[0] | undefined
  const upgrade: Upgrade = {
    accept(opened) {
      open = opened
    },
  }
  const asked = requestOf(request)
  if (!asked) return refuse(socket, new Response(null, { status: 400 }))
  const response = await app.fetch(asked, { incoming: request as never, upgrade })
  if (open) return sockets.accept(handshake, open)
  const code = request.headers.origin === undefined ? undefined : CLOSE_CODES[response.status]
  if (code === undefined) return refuse(socket, response)
  const { detail } = (await response.json()) as Problem
  sockets.accept(handshake, (live) => live.close(code, clipped(detail)))
}

/** The Host is checked as a header; as a part of the address it could only break it. */
function requestOf({ url = '/', headers }: IncomingMessage): Request | undefined {
  const copied = new Headers()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) copied.set(name, Array.isArray(value) ? value.join(', ') : value)
  try {
    return new Request(new URL(url, `http://${headers.host ?? 'localhost'}`), { headers: copied })
  } catch {
    return undefined // an address or Host that cannot be parsed; the caller answers 400
  }
}

/** Ends the connection, whether or not the peer reads the answer. */
async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer())
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`)
  const head = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`, ...lines]
  const text = `${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
  socket.once('finish', () => socket.destroy())
  socket.end(Buffer.concat([Buffer.from(text, 'latin1'), body]))
}

/** A close frame has room for 123 bytes. */
function clipped(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 123)
}
