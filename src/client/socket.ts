/** Live messages over the WebSocket that browsers and Node have built in. */
import type { WsTicket } from '../api/schemas/live.ts'
import { AppError, type ErrorCode } from '../lib/errors.ts'
import type { LiveMessage } from '../stream/events.ts'
import { type ClientSettings, callJson } from './call.ts'
import type { LiveFrame, LiveRequest } from './live-request.ts'
import { pathOf, socketPathOf } from './paths.ts'
import { createWatchdog } from './watchdog.ts'

/** A page does not see protocol pings, so it asks itself whether the other side is there. */
const PING_MS = 15_000

const CODES: Record<number, ErrorCode> = {
  4400: 'invalid_value',
  4401: 'unauthorized',
  4403: 'forbidden',
  4404: 'not_found',
  4429: 'unavailable',
}

export async function* readSocket(settings: ClientSettings, request: LiveRequest): AsyncGenerator<LiveFrame, void> {
  const address = await addressOf(settings, request)
  request.signal?.throwIfAborted()
  const watchdog = createWatchdog(request.signal)
  const socket = new WebSocket(address)
  const inbox = createInbox(socket)
  const leave = () => inbox.fail(watchdog.signal.reason)
  watchdog.signal.addEventListener('abort', leave, { once: true })
  socket.addEventListener('message', watchdog.heard)
  const pinging = setInterval(() => ping(socket), PING_MS)
  try {
    for (;;) {
      const message = await inbox.next()
      if ((message.type as string) !== 'pong') yield { message }
    }
  } catch (error) {
    if (!inbox.opened && !watchdog.signal.aborted) await askWhy(settings, request)
    throw error
  } finally {
    clearInterval(pinging)
    watchdog.signal.removeEventListener('abort', leave)
    watchdog.stop()
    socket.close()
  }
}

/** A ticket, because a socket of a browser takes no header and a token does not belong in an address. */
async function addressOf(settings: ClientSettings, { id, stage, since, v, signal }: LiveRequest): Promise<URL> {
  const url = new URL(socketPathOf(id, stage), settings.url)
  url.protocol = url.protocol.replace('http', 'ws')
  url.searchParams.set('v', String(v))
  if (since !== undefined) url.searchParams.set('since', since)
  if (settings.token === undefined) return url
  const { ticket } = await callJson<WsTicket>(settings, '/api/v1/ws-tickets', { method: 'POST', body: {}, signal })
  url.searchParams.set('ticket', ticket)
  return url
}

/** A refused handshake says nothing here; the same question over HTTP has a reason. Throws it. */
async function askWhy(settings: ClientSettings, { id, stage, signal }: LiveRequest): Promise<void> {
  await callJson(settings, pathOf(id, 'events'), { query: { stage }, headers: { Accept: 'application/json' }, signal })
}

type Inbox = { next(): Promise<LiveMessage>; fail(reason: unknown): void; readonly opened: boolean }

/** Messages in order for one reader; after the last one, why there are no more. */
function createInbox(socket: WebSocket): Inbox {
  const messages: LiveMessage[] = []
  let opened = false
  let failure: { reason: unknown } | undefined
  let wake = () => {}
  const fail = (reason: unknown) => {
    failure ??= { reason }
    wake()
  }
  socket.addEventListener('open', () => {
    opened = true
  })
  socket.addEventListener('message', ({ data }) => {
    messages.push(JSON.parse(String(data)) as LiveMessage)
    wake()
  })
  socket.addEventListener('close', ({ code, reason }) => fail(closedError(code, reason)))
  return {
    fail,
    get opened() {
      return opened
    },
    async next() {
      for (;;) {
        const message = messages.shift()
        if (message) return message
        if (failure) throw failure.reason
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

function closedError(code: number, reason: string): AppError {
  return new AppError(CODES[code] ?? 'unavailable', reason || `The connection was closed (${code})`, {
    details: { close_code: code },
    retryable: !(code in CODES) || code === 4429,
  })
}

function ping(socket: WebSocket): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: 'ping', timestamp: Date.now() / 1000 }))
}
