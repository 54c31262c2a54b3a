/** Which Redis this run uses, with its queues emptied: what they held is older than what the folders say. */
import type { Config } from '../config.ts'
import { createKeys } from '../redis/keys.ts'
import { locateRedis, type RedisLocation } from '../redis/locate.ts'
import type { RedisPlace } from '../redis/place.ts'
import { prepareOwnRedis } from '../redis/spawn.ts'
import type { ChildSpec } from '../supervisor/spec.ts'

/** `spec` is null when Redis is not ours to start and stop. */
export type ChosenRedis = { place: RedisPlace; spec: ChildSpec | null; location: RedisLocation }

export type RedisWishes = {
  config: Config
  dataId: string
  env: Record<string, string>
  onProgress: (sentence: string) => void
}

export async function chooseRedis({ config, dataId, env, onProgress }: RedisWishes): Promise<ChosenRedis> {
  const location = await locateRedis(config.redis, { onProgress })
  const queues = createKeys(dataId).bull
  if (location.mode === 'attach') {
    await emptyQueues(location.place, queues)
    return { place: location.place, spec: null, location }
  }
  const own = await prepareOwnRedis({ binary: location.binary, dataDir: config.dataDir, port: location.port, env })
  return { place: own.place, spec: emptiedFirst(own.spec, () => emptyQueues(own.place, queues)), location }
}

/** The client library is loaded only here, while the children are already on their way. */
async function emptyQueues(place: RedisPlace, prefix: string): Promise<void> {
  const { removeKeys } = await import('../redis/empty.ts')
  await removeKeys(place, prefix)
}

/** It counts as ready once the old jobs are gone; when it comes back from a crash they are this run's. */
function emptiedFirst(spec: ChildSpec, empty: () => Promise<unknown>): ChildSpec {
  const { ready } = spec
  let emptied = false
  if (ready === 'message') return spec
  return {
    ...spec,
    async ready(signal) {
      await ready(signal)
      if (!emptied) await empty()
      emptied = true
    },
  }
}
