/** What the benchmarks of live streams are made of: a project that streams, real sockets, and the least that could do it. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Redis } from 'ioredis'
import { WebSocket, WebSocketServer } from 'ws'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { emptyFold } from '../../src/project/folded.ts'
import { blankStage } from '../../src/project/stage.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createPlace } from '../../src/redis/place.ts'
import { createHub, type Hub, type ProjectSource, type Sink } from '../../src/stream/hub.ts'
import { createProducer } from '../../src/stream/producer.ts'
import type { StageStream } from '../../src/stream/stage-stream.ts'

export const PROJECT_ID = 'bench'
export const STAGE = 'write'

export type LiveBench = {
  redis: Redis
  hub: Hub
  /** A new attempt; viewers see a restarted stage. */
  open(): Promise<StageStream>
  [Symbol.asyncDispose](): Promise<void>
}

export async function openLiveBench(url: string): Promise<LiveBench> {
  const keys = createKeys('bench')
  const redis = openRedis({ url }, 'fast')
  await untilReady(redis, 5_000)
  const place = createPlace(url, 'attached')
  const hub = createHub({ place, keys, source: runningProject(), log: silentLog })
  const producer = createProducer({ redis, keys, log: silentLog })
  let claimRevision = 1
  return {
    redis,
    hub,
    open: () => producer.open({ projectId: PROJECT_ID, stage: STAGE, fence: `f${++claimRevision}`, claimRevision }),
    async [Symbol.asyncDispose]() {
      await producer.close()
      await hub.close()
      redis.disconnect()
    },
  }
}

/** Its journal never changes: what is measured is the stream. */
function runningProject(): ProjectSource {
  const stages = [{ ...blankStage(STAGE, 'llm'), status: 'running' as const }]
  const state = { ...emptyFold().state, id: PROJECT_ID, stages, status: 'running' as const }
  return { read: async () => ({ state, texts: {} }), revisions: async () => ({ [STAGE]: 1 }) }
}

export type Sockets = {
  server: WebSocketServer
  sockets: WebSocket[]
  clients: WebSocket[]
  [Symbol.asyncDispose](): Promise<void>
}

/** `sockets` are the server's ends. */
export async function openSockets(count: number): Promise<Sockets> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const sockets: WebSocket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  const { port } = server.address() as AddressInfo
  const clients = Array.from({ length: count }, () => new WebSocket(`ws://127.0.0.1:${port}`))
  await until(() => sockets.length === count, { timeoutMs: 10_000, everyMs: 5, what: 'the sockets' })
  return {
    server,
    sockets,
    clients,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

const FULL_BYTES = 65_536

export function sinkOf(socket: WebSocket): Sink {
  let drained: (() => void) | undefined
  return {
    writable: () => socket.bufferedAmount < FULL_BYTES,
    write(frame) {
      socket.send(frame, { binary: false }, () => {
        if (socket.bufferedAmount >= FULL_BYTES) return
        drained?.()
        drained = undefined
      })
    },
    whenWritable(callback) {
      drained = callback
    },
    end: () => socket.close(),
  }
}
