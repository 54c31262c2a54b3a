/** Redis loses everything that it holds while it serves. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openRedis, untilReady } from '../../redis/client.ts'
import type { Fault, Scene } from '../fault.ts'
import { midStage } from '../scene.ts'

export const REDIS_FAULTS: readonly Fault[] = [
  {
    id: 'flush-redis',
    what: 'FLUSHALL in Redis, three times',
    pace: { paceMs: 300 },
    async strike(scene) {
      const strikes = []
      for (let time = 0; time < 3; time++) {
        await midStage(scene)
        strikes.push({ atMs: await flush(scene), pids: [], noticedMs: null })
      }
      return strikes
    },
  },
]

async function flush({ rig }: Scene): Promise<number> {
  const client = openRedis({ url: await urlOf(rig.layout.redis) }, 'fast')
  try {
    if (!(await untilReady(client, 5_000))) throw new Error('Redis does not answer')
    const atMs = Date.now()
    await client.flushall()
    return atMs
  } finally {
    client.disconnect()
  }
}

/** Port and password of a Redis of our own are in its configuration, which only we can read. */
async function urlOf(folder: string): Promise<string> {
  const conf = await readFile(join(folder, 'redis.conf'), 'utf8')
  const [, port] = /^port (\d+)$/m.exec(conf) ?? []
  const [, password] = /^requirepass (\S+)$/m.exec(conf) ?? []
  if (!port || !password) throw new Error(`${folder} does not say where Redis is`)
  return `redis://default:${encodeURIComponent(password)}@127.0.0.1:${port}`
}
