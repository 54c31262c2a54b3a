/** Knows at any moment whether Redis serves and how fast, by asking once a second. */
import { checkRedis } from './check.ts'
import { openRedis } from './client.ts'
import type { RedisPlace } from './place.ts'
import { examine } from './probe.ts'

/** `since`: when `running` took its present value. `refusal`: why the server there must not be used, if it must not. */
export type RedisHealth = { running: boolean; latency_ms: number | null; since: string; refusal: string | null }

export type RedisWatch = {
  latest(): RedisHealth
  /** Called when `running` changes; gives the way to unsubscribe. */
  onChange(callback: (health: RedisHealth) => void): () => void
  /** Called with the reason when an attached server that has come, or come back, must not be used. */
  onRefusal(callback: (refusal: string) => void): void
  stop(): void
}

/** A ping that takes longer counts as no answer. */
const PING_TIMEOUT_MS = 1_000
/** A time-out so late means that we did not run (Ctrl+Z, a busy machine): the answer lay there, and nobody read it. */
const LATE_MS = 250

export function createRedisWatch(place: RedisPlace, options: { everyMs?: number } = {}): RedisWatch {
  const client = openRedis(place, 'fast', { commandTimeout: PING_TIMEOUT_MS })
  const listeners = new Set<(health: RedisHealth) => void>()
  const hearers = new Set<(refusal: string) => void>()
  let health: RedisHealth = { running: false, latency_ms: null, since: new Date().toISOString(), refusal: null }
  /** The boot checks a server that is there; one that comes later, or comes back, may be another. */
  let isChecked = place.mode === 'spawned'
  let asking = false
  let stopped = false

  async function ask(): Promise<void> {
    if (asking || stopped) return
    asking = true
    let startedMs = performance.now()
    let answered = await pings()
    if (!answered && performance.now() - startedMs > PING_TIMEOUT_MS + LATE_MS) {
      startedMs = performance.now()
      answered = await pings()
    }
    if (answered && !isChecked) await check()
    asking = false
    note(answered ? Math.round((performance.now() - startedMs) * 100) / 100 : null)
  }

  async function pings(): Promise<boolean> {
    try {
      await client.ping()
      return true
    } catch {
      return false
    }
  }

  async function check(): Promise<void> {
    const found = await examine(client).catch(() => null) // gone again: the next answer is asked for it
    if (found?.state !== 'answers') return
    const { refusal } = checkRedis(found)
    isChecked = true
    if (refusal !== null && refusal !== health.refusal) for (const tell of hearers) tell(refusal)
    health = { ...health, refusal }
  }

  function note(latency_ms: number | null): void {
    if (stopped) return
    const running = latency_ms !== null
    const changed = running !== health.running
    health = { ...health, running, latency_ms, since: changed ? new Date().toISOString() : health.since }
    if (changed) for (const tell of listeners) tell(health)
  }

  const timer = setInterval(() => void ask(), options.everyMs ?? 1_000).unref()
  client.on('ready', () => void ask())
  client.on('close', () => {
    isChecked = place.mode === 'spawned'
    note(null) // no need to wait for the next ping
  })
  return {
    latest: () => health,
    onChange(callback) {
      listeners.add(callback)
      return () => void listeners.delete(callback)
    },
    onRefusal: (callback) => void hearers.add(callback),
    stop() {
      stopped = true
      clearInterval(timer)
      client.disconnect()
    },
  }
}
