/** Redis loses everything that it holds, or is away for long. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../lib/until.ts'
import { openRedis, untilReady } from '../../redis/client.ts'
import type { AttachedRedis } from '../attached-redis.ts'
import type { Fault, Scene } from '../fault.ts'
import type { Strike } from '../recovery.ts'
import { expectSameWorkers, heard, midStage, workersOf } from '../scene.ts'

const AWAY_MS = 60_000
const ASK_EVERY_MS = 1_000

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
  {
    id: 'empty-redis',
    what: 'an attached Redis is killed and comes back empty',
    redis: 'there',
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const atMs = Date.now()
      await attachedTo(scene).end()
      await attachedTo(scene).start()
      return [await blameless(scene, before, { atMs, pids: [], noticedMs: null })]
    },
  },
  {
    id: 'redis-away-boot',
    what: 'an attached Redis is away for 60 s from the start on',
    redis: 'away',
    waitsS: 75,
    async strike(scene) {
      const before = await workersOf(scene)
      await expectDegraded(scene)
      const atMs = Date.now()
      await attachedTo(scene).start()
      return [await blameless(scene, before, { atMs, pids: [], noticedMs: null })]
    },
  },
  {
    id: 'redis-away',
    what: 'an attached Redis is away for 60 s in mid-run, and comes back empty',
    redis: 'there',
    waitsS: 75,
    async strike(scene) {
      await midStage(scene)
      const before = await workersOf(scene)
      const atMs = Date.now()
      await attachedTo(scene).end()
      const noticed = await heard(scene, (fact) => fact.type === 'redis_changed' && fact.running === false)
      await expectDegraded(scene)
      await attachedTo(scene).start()
      return [await blameless(scene, before, { atMs, pids: [], noticedMs: noticed.atMs - atMs })]
    },
  },
]

function attachedTo({ rig }: Scene): AttachedRedis {
  if (rig.redis) return rig.redis
  throw new Error('this instance has a Redis of its own')
}

/** All the time it lives, takes no work for granted, and says so. */
async function expectDegraded(scene: Scene): Promise<void> {
  const { url } = scene.instance()
  const answers = new Set<string>()
  for (const endMs = performance.now() + AWAY_MS; performance.now() < endMs; await sleep(ASK_EVERY_MS, scene.signal))
    for (const path of ['livez', 'readyz'])
      answers.add(`${path} ${(await fetch(`${url}/${path}`, { signal: scene.signal })).status}`)
  const others = [...answers].filter((answer) => answer !== 'livez 200' && answer !== 'readyz 503')
  if (others.length > 0) scene.found('wrong', `without Redis it answered ${others.join(', ')}`)
}

/** Whatever Redis does is no reason to start anybody again. */
async function blameless(scene: Scene, before: Awaited<ReturnType<typeof workersOf>>, strike: Strike): Promise<Strike> {
  await scene.load.untilEnded({ timeoutMs: AWAY_MS, signal: scene.signal })
  await expectSameWorkers(scene, before)
  return strike
}

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
