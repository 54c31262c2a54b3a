/** Removes keys by prefix: at boot the queues are emptied and rebuilt from disk, so no stale job survives. */
import { openRedis, untilReady } from './client.ts'
import type { RedisPlace } from './place.ts'

const BATCH = 500
const CONNECT_MS = 2_000

/** False when Redis could not be reached: a stale job then finds nothing to do, which costs only time. */
export async function removeKeys(place: RedisPlace, prefix: string): Promise<boolean> {
  const client = openRedis(place, 'fast')
  try {
    if (!(await untilReady(client, CONNECT_MS))) return false
    let cursor = '0'
    do {
      const [next, keys] = await client.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', BATCH)
      if (keys.length > 0) await client.unlink(...keys)
      cursor = next
    } while (cursor !== '0')
    return true
  } finally {
    client.disconnect()
  }
}
