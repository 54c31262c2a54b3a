/** Finds out where Redis is to be: looks, decides, and finds the program when our own is needed. */
import { type FindBinaryOptions, findRedisBinary } from './binary.ts'
import { type RedisPlace, urlOf } from './place.ts'
import { probeRedis } from './probe.ts'
import { needsProbe, resolveRedis } from './resolve.ts'
import type { RedisSettings } from './settings.ts'

export type RedisLocation =
  | { mode: 'attach'; place: RedisPlace; note: string | null }
  | { mode: 'spawn'; why: string; port: number | null; binary: string }

export type LocateOptions = Pick<FindBinaryOptions, 'onProgress' | 'signal' | 'env'>

/** Nobody there is known at once; one that is there may be on a busy machine. */
const LOCAL_PROBE_MS = 1_000
/** A server that the user named may be far away. */
const NAMED_PROBE_MS = 2_000

/** Throws `unavailable` (unfit server), `conflict` (REDIS_PORT taken) or `missing_program`. */
export async function locateRedis(settings: RedisSettings, options: LocateOptions): Promise<RedisLocation> {
  const isNamed = settings.mode === 'attach' || settings.url !== null
  const probe = needsProbe(settings)
    ? await probeRedis(urlOf(settings), isNamed ? NAMED_PROBE_MS : LOCAL_PROBE_MS)
    : null
  options.signal?.throwIfAborted()
  const decision = resolveRedis(settings, probe)
  if (decision.mode === 'refuse') throw decision.error
  if (decision.mode === 'attach') return decision
  return { ...decision, binary: await findRedisBinary(options) }
}
