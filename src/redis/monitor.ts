/** Knows at any moment whether Redis serves and how fast, by asking once a second. */
import { openRedis } from './client.ts'
import type { RedisPlace } from './place.ts'

/** `since`: when `running` took its present value. */
export type RedisHealth = { running: boolean; latency_ms: number | null; since: string }

export type RedisWatch = {
  latest(): RedisHealth
  /** Called when `running` changes; gives the way to unsubscribe. */
  onChange(callback: (health: RedisHealth) => void): () => void
  stop(): void
}

/** A ping that takes longer counts as no answer. */
const PING_TIMEOUT_MS = 1_000

export function createRedisWatch(place: RedisPlace, options: { everyMs?: number } = {}): RedisWatch {
  const client = openRedis(place, 'fast', { commandTimeout: PING_TIMEOUT_MS })
  const listeners = new Set<(health: RedisHealth) => void>()
  let health: RedisHealth = { running: false, latency_ms: null, since: new Date().toISOString() }
  let asking = false
  let stopped = false

  async function ask(): Promise<void> {
    if (asking || stopped) return
    asking = true
    const startedMs = performance.now()
    const answered = await client.ping().then(
      () => true,
      () => false,
    )
    asking = false
    note(answered ? Math.round((performance.now() - startedMs) * 100) / 100 : null)
  }

  function note(latency_ms: number | null): void {
    if (stopped) return
    const running = latency_ms !== null
    const changed = running !== health.running
    health = { running, latency_ms, since: changed ? new Date().toISOString() : health.since }
    if (changed) for (const tell of listeners) tell(health)
  }

  const timer = setInterval(() => void ask(), options.everyMs ?? 1_000).unref()
  client.on('ready', () => void ask())
  client.on('close', () => note(null)) // no need to wait for the next ping
  return {
    latest: () => health,
    onChange(callback) {
      listeners.add(callback)
      return () => void listeners.delete(callback)
    },
    stop() {
      stopped = true
      clearInterval(timer)
      client.disconnect()
    },
  }
}
