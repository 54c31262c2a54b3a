/** Which Redis this run uses, with its queues emptied: what they held is older than what the folders say. */
import type { Config } from '../config.ts'
import { createKeys } from '../redis/keys.ts'
import type { RedisLocation } from '../redis/locate.ts'
import type { RedisPlace } from '../redis/place.ts'
import { prepareOwnRedis } from '../redis/spawn.ts'
import type { ChildSpec } from '../supervisor/spec.ts'

/** `spec` is null when Redis is not ours to start and stop. */
export type ChosenRedis = {
  place: RedisPlace
  spec: ChildSpec | null
  location: RedisLocation
  /** Resolves when it serves and its old jobs are gone; it may never do so. */
  serves: Promise<void>
}

export type RedisWishes = {
  config: Config
  dataId: string
  env: Record<string, string>
  location: RedisLocation
}

export async function chooseRedis({ config, dataId, env, location }: RedisWishes): Promise<ChosenRedis> {
  const queues = createKeys(dataId).bull
  if (location.mode === 'attach') {
    await emptyQueues(location.place, queues)
    return { place: location.place, spec: null, location, serves: Promise.resolve() }
  }
  const own = await prepareOwnRedis({ binary: location.binary, dataDir: config.dataDir, port: location.port, env })
  const { spec, serves } = emptiedFirst(own.spec, () => emptyQueues(own.place, queues))
  return { place: own.place, spec, location, serves }
}

/** The client library is loaded only here, while the children are already on their way. */
async function emptyQueues(place: RedisPlace, prefix: string): Promise<void> {
  const { removeKeys } = await import('../redis/empty.ts')
  await removeKeys(place, prefix)
}

/** It counts as ready once the old jobs are gone; when it comes back from a crash they are this run's. */
function emptiedFirst(spec: ChildSpec, empty: () => Promise<unknown>): { spec: ChildSpec; serves: Promise<void> } {
  const { ready } = spec
  if (ready === 'message') throw new Error('Redis speaks no protocol of ours')
  const { promise, resolve } = Promise.withResolvers<void>()
  let emptied = false
  const readyEmptied = async (signal: AbortSignal) => {
    await ready(signal)
    if (!emptied) await empty()
    emptied = true
    resolve()
  }
  return { spec: { ...spec, ready: readyEmptied }, serves: promise }
}
