/** A connection to the inspector of a Node process, for the one thing that is wanted of it: to evaluate. */
import { once } from 'node:events'

export type InspectorSession = {
  /** The value of `expression` in the process; null when it threw there, or the connection ended before. */
  evaluate(expression: string): Promise<unknown>
  /** Resolves when the connection has ended, by whomever. */
  closed: Promise<void>
}

type Answer = { id?: number; result?: { result?: { value?: unknown } } } | null

const HANDSHAKE_MS = 2_000

/**
 * Chrome DevTools Protocol, Runtime.evaluate: Node carries it out at the next check of a loop or call, so a process
 * that is busy for ever answers too, and is neither paused nor slowed down as by the Debugger domain.
 */
export async function openSession(url: string): Promise<InspectorSession> {
  const { WebSocket } = await import('ws') // a supervisor whose children never hang does without
  const socket = new WebSocket(url, { handshakeTimeout: HANDSHAKE_MS, perMessageDeflate: false })
  const pending = new Map<number, (value: unknown) => void>()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('message', (data) => {
    const answer = parse(String(data))
    if (!answer) return socket.terminate() // whoever listens there is no inspector
    pending.get(answer.id ?? 0)?.(answer.result?.result?.value ?? null)
    pending.delete(answer.id ?? 0)
  })
  void closed.then(() => {
    for (const settle of pending.values()) settle(null)
  })
  let lastId = 0
  await once(socket, 'open') // rejects on 'error'
  socket.on('error', () => {}) // 'close' follows
  return {
    closed,
    evaluate(expression) {
      if (socket.readyState !== socket.OPEN) return Promise.resolve(null)
      const id = ++lastId
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, returnByValue: true } }))
      return new Promise((resolve) => pending.set(id, resolve))
    },
  }
}

function parse(text: string): Answer {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return null
  }
}
