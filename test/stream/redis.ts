/** A Redis for tests of streams, what they need on it, and what programs of others would hear. */
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { openRedis, untilReady } from '../../src/redis/client.ts'
import { createKeys, type RedisKeys } from '../../src/redis/keys.ts'
import { createPlace } from '../../src/redis/place.ts'
import { createProducer, type Producer } from '../../src/stream/producer.ts'
import { createRedisStream } from '../../src/stream/redis-stream.ts'
import { startPlainRedis, temporaryFolder } from '../redis/redis-process.ts'

export const AOF = ['--appendonly', 'yes', '--appendfsync', 'everysec']

export type Bench = Awaited<ReturnType<typeof openBench>>

/** A real Redis with a producer and the bare script on connections of their own. */
export async function openBench(t: TestContext, args: string[] = []) {
  const server = await startServer(t, args)
  const keys = createKeys('test')
  const redis = await connect(t, server)
  const place = createPlace(server.url, 'attached')
  return { server, place, keys, redis, stream: createRedisStream(redis, keys), producer: openProducer(t, redis, keys) }
}

/** A server that can be killed and started again on its own files. */
async function startServer(t: TestContext, args: string[]) {
  const all = [...args, '--dir', await temporaryFolder(t)]
  let process = await startPlainRedis(t, all)
  const { port, url } = process
  return {
    url,
    end: () => process.end('SIGKILL'),
    pause: () => process.pause(),
    resume: () => process.resume(),
    async restart() {
      await process.end('SIGKILL')
      process = await startPlainRedis(t, all, port)
    },
  }
}

export async function connect(t: TestContext, server: { url: string }) {
  const redis = openRedis({ url: server.url }, 'fast')
  t.after(() => redis.disconnect())
  await untilReady(redis, 5_000)
  return redis
}

function openProducer(t: TestContext, redis: Awaited<ReturnType<typeof connect>>, keys: RedisKeys): Producer {
  const producer = createProducer({ redis, keys, log: silentLog })
  t.after(() => producer.close())
  return producer
}

/** What direct subscribers of a channel hear, parsed. */
export async function listen(t: TestContext, server: { url: string }, channel: string): Promise<any[]> {
  const redis = await connect(t, server)
  const heard: any[] = []
  redis.on('message', (_channel, message) => heard.push(JSON.parse(message)))
  await redis.subscribe(channel)
  return heard
}

/** The project's entries as [kind, stage, offset, payload]. */
export async function entriesOf({ redis, keys }: Pick<Bench, 'redis' | 'keys'>, id: string) {
  const rows = await redis.xrange(keys.key('events', id), '-', '+')
  return rows.map(([seq, fields]) => {
    const map = Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1]]] : [])))
    return { seq: Number.parseInt(seq, 10), kind: map.k, stage: map.s, offset: map.o, payload: map.d, epoch: map.e }
  })
}

export async function untilText({ redis, keys }: Pick<Bench, 'redis' | 'keys'>, id: string, expected: string) {
  const probe = async () => (await redis.get(keys.key('text', id, 'write')).catch(() => null)) === expected
  await until(probe, { timeoutMs: 10_000, what: 'the text in Redis' })
}
