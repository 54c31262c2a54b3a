/** TCP ports for servers of a test, which nobody else is given until its end: files run side by side. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { TestContext } from 'node:test'

/** Between the ports that the program chooses from (redis/port.ts) and those that systems give to whoever asks. */
const LOWEST = 30_000
const COUNT = 2_700
const TRIES = 50

/** The UDP port of the same number, which has nothing to do with it, is the sign that it is taken. */
export async function reservePort(t: TestContext): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = LOWEST + Math.floor(Math.random() * COUNT)
    const sign = createSocket('udp4').unref()
    try {
      const bound = once(sign, 'listening')
      sign.bind({ port, address: '127.0.0.1', exclusive: true })
      await bound
      await listenOnce(port)
      t.after(() => void sign.close())
      return port
    } catch {
      sign.close()
    }
  }
  throw new Error(`None of ${TRIES} ports was free`)
}

async function listenOnce(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}
