/** The two questions that need no Redis client, whose import would cost a boot 60 ms. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { messageOf } from '../lib/errors.ts'
import type { Address } from './place.ts'

/** Null when something listens there, else why not. */
export async function knock(address: Address, deadlineMs: number): Promise<string | null> {
  const socket = connect(address)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(deadlineMs) })
    return null
  } catch (error) {
    return error instanceof Error && error.name === 'AbortError'
      ? `no answer within ${deadlineMs} ms`
      : messageOf(error)
  } finally {
    socket.on('error', () => {}) // it is of no more use, whatever comes
    socket.destroy()
  }
}

/** True when the Redis with this password serves: not when it is still loading, nor when it is another. */
export async function pingRedis(address: Address, password: string, deadlineMs = 500): Promise<boolean> {
  const socket = connect(address)
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(deadlineMs) })
    socket.write(`AUTH ${password}\r\nPING\r\n`) // inline commands, see the RESP specification
    return (await readReply(socket, deadlineMs)) === '+OK\r\n+PONG\r\n'
  } catch {
    return false // not there yet; the caller polls until its deadline
  } finally {
    socket.on('error', () => {})
    socket.destroy()
  }
}

async function readReply(socket: Socket, deadlineMs: number): Promise<string> {
  const signal = AbortSignal.timeout(deadlineMs)
  let reply = ''
  while (reply.split('\r\n').length < 3) {
    const [chunk] = (await once(socket, 'data', { signal })) as [Buffer]
    reply += chunk.toString('latin1')
  }
  return reply
}
