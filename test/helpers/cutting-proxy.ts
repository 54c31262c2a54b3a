/** A line to a server that breaks: every connection through it is reset after a random time, wherever its bytes are. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createRandom } from './random.ts'

export type CuttingProxy = {
  readonly port: number
  readonly url: string
  /** Where connections go from now on. */
  aim(url: string): void
  readonly cuts: number
}

export type CutPlan = { seed: string; minMs: number; maxMs: number }

export async function startCuttingProxy(t: TestContext, { seed, minMs, maxMs }: CutPlan): Promise<CuttingProxy> {
  const random = createRandom(seed)
  const open = new Set<Socket>()
  let target: URL | undefined
  let cuts = 0
  const server = createServer((near) => {
    if (!target) return near.destroy()
    const far = connect(Number(target.port), target.hostname)
    const cut = () => {
      cuts++
      near.resetAndDestroy()
    }
    const timer = setTimeout(cut, minMs + random() * (maxMs - minMs))
    open.add(near)
    near.pipe(far).on('error', () => near.destroy())
    far.pipe(near).on('error', () => far.destroy())
    far.once('close', () => near.destroy())
    near.once('close', () => {
      clearTimeout(timer)
      open.delete(near)
      far.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    aim: (url) => {
      target = new URL(url)
    },
    get cuts() {
      return cuts
    },
  }
}
