/** Chooses a TCP port for a server of our own. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { errnoOf } from '../lib/errors.ts'

/**
 * Below the ports that systems give to outgoing connections (Linux 32768, macOS 49152 and up): while
 * Redis restarts, a client that retries could be given the very port that it is connecting to, and keep it.
 */
const LOWEST = 20_000
const COUNT = 10_000
const TRIES = 50

/** A port that was free a moment ago. */
export async function findFreePort(random: () => number = Math.random): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = LOWEST + Math.floor(random() * COUNT)
    if (await canListen(port)) return port
  }
  return await anyPort()
}

async function canListen(port: number): Promise<boolean> {
  try {
    await listenOnce(port)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EADDRINUSE' || errnoOf(error) === 'EACCES') return false
    throw error
  }
}

async function anyPort(): Promise<number> {
  return await listenOnce(0)
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}
