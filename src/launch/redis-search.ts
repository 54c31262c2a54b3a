/** Looks for Redis beside the first steps of a boot, and ends with the boot. */
import type { Config } from '../config.ts'
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { locateRedis, type RedisLocation } from '../redis/locate.ts'
import type { LaunchFact } from './facts.ts'

export type RedisSearch = {
  /** A refusal is heard where it is awaited. */
  location: Promise<RedisLocation>
  /** Resolves when nothing that it has started runs any more. */
  end(): Promise<void>
}

export type SearchOptions = { config: Config; signal: AbortSignal; onFact: (fact: LaunchFact) => void }

/** It may have to build one: with the run's id the guardian ends that as well. */
export function searchRedis({ config, signal, onFact }: SearchOptions, runId: string): RedisSearch {
  const over = new AbortController()
  const location = locateRedis(config.redis, {
    onProgress: (sentence) => onFact({ type: 'progress', sentence }),
    signal: AbortSignal.any([signal, over.signal]),
    env: { [CHILD_ENVIRONMENT.runId]: runId },
  })
  const ended = location.then(
    () => {},
    () => {},
  )
  return {
    location,
    end() {
      over.abort()
      return ended
    },
  }
}
