/** A WebSocket that remembers all it was sent, and how it ended. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { until } from '../../src/lib/until.ts'
import type { LiveMessage } from '../../src/stream/events.ts'

export type Headers = Record<string, string>
export type Options = { headers?: Headers; protocols?: string[] }

export async function openSocket(port: number, path: string, { headers, protocols = [] }: Options = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers })
  const messages: LiveMessage[] = []
  let closed: { code: number; reason: string } | undefined
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as LiveMessage))
  socket.once('close', (code, reason) => {
    closed = { code, reason: String(reason) }
  })
  await once(socket, 'open')
  socket.on('error', () => {}) // the close code tells
  return {
    socket,
    messages,
    arrived: (count: number) =>
      until(() => messages.length >= count && messages, { timeoutMs: 5_000, what: `${count} messages` }),
    closed: () => until(() => closed, { timeoutMs: 5_000, what: 'the close' }),
    [Symbol.dispose]: () => socket.terminate(),
  }
}

/** The HTTP answer of a handshake that is refused. */
export async function refusedHandshake(port: number, path: string, headers: Headers = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  socket.on('error', () => {}) // ws makes one of every refusal
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  let body = ''
  for await (const part of answer.setEncoding('utf8')) body += part
  return {
    status: answer.statusCode ?? 0,
    type: answer.headers['content-type'],
    headers: answer.headers,
    problem: JSON.parse(body) as { code: string; detail: string; request_id: string },
  }
}
