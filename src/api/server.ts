/** The app on a port: listening, refusing what is not HTTP for it, and closing within a deadline. */
import type { IncomingMessage, Server, ServerOptions } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import { AppError, errnoOf, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { ownerOfPort } from '../lib/process-tree.ts'
import { until } from '../lib/until.ts'
import type { Api } from './context.ts'
import { createSocketServer } from './live/socket-server.ts'
import { createUpgradeHandler } from './live/upgrade.ts'

export type ServerSettings = {
  host: string
  /** 0 picks a free one. */
  port: number
  /** Ends the server at once. */
  signal?: AbortSignal
  log: Log
  /** How often WebSockets are looked at; see socket-server.ts. */
  beatMs?: number
}

export type ApiServer = {
  url: string
  port: number
  /** Takes no more requests, lets running ones end for `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>
}

/** Throws `conflict` when the port is taken (its owner in the message), `settings` when it cannot be had at all. */
export async function startServer(app: Api, settings: ServerSettings): Promise<ApiServer> {
  settings.signal?.throwIfAborted()
  const serverOptions: ServerOptions = {
    headersTimeout: 15_000,
    requestTimeout: 120_000,
    shouldUpgradeCallback: isWebSocket,
  }
  const closing = new AbortController()
  const fetch: typeof app.fetch = (request, env) =>
    app.fetch(request, Object.assign(env as object, { closing: closing.signal }))
  const server = createAdaptorServer({ fetch, hostname: settings.host, serverOptions }) as Server
  const sockets = trackSockets(server)
  const live = createSocketServer(settings.log, settings.beatMs)
  server.on('upgrade', createUpgradeHandler({ app, sockets: live, log: settings.log }))
  server.on('clientError', answerUnreadable)
  await listen(server, settings)
  server.on('error', (error) => settings.log.error({ error }, 'the HTTP server reported an error'))
  const port = (server.address() as AddressInfo).port
  const close = (graceMs: number) => {
    closing.abort()
    live.close()
    return closeServer(server, sockets, graceMs)
  }
  settings.signal?.addEventListener('abort', () => void close(0), { once: true })
  return { url: `http://${urlHost(settings.host)}:${port}`, port, close }
}

/** Any other upgrade (h2c, as curl --http2 asks) would be left without an answer and keep its socket for ever. */
function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket'
}

/** Node forgets sockets that were upgraded; a deadline has to reach them too. */
function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

function listen(server: Server, { host, port }: ServerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function listenError(error: Error, host: string, port: number): AppError {
  if (errnoOf(error) !== 'EADDRINUSE')
    return new AppError('settings', `Cannot listen on ${host}:${port}: ${messageOf(error)}`, { cause: error })
  const owner = ownerOfPort(port)
  const by = owner ? ` by ${owner}` : ''
  return new AppError('conflict', `Port ${port} on ${host} is taken${by}`, { cause: error, details: { port, owner } })
}

async function closeServer(server: Server, sockets: Set<Socket>, graceMs: number): Promise<void> {
  if (server.listening) server.close()
  const isIdle = () => {
    // A connection becomes idle when its answer ends, so this has to be asked again.
    server.closeIdleConnections()
    return sockets.size === 0
  }
  await until(isIdle, { timeoutMs: graceMs, everyMs: 20, what: 'open requests to end' }).catch(() => {
    for (const socket of sockets) socket.destroy() // they had their time
  })
}

const UNREADABLE: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
}

/** What the parser refuses never reaches the app; it still gets a problem, and its connection is closed. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const [status, title] = UNREADABLE[error.code ?? ''] ?? [400, 'Bad Request']
  const body = JSON.stringify({ type: 'about:blank', title, status, detail: 'The request could not be read' })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
