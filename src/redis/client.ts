/** Opens connections that come back by themselves and whose errors are never unhandled. */
import { Redis, type RedisOptions } from 'ioredis'
import { within } from '../lib/until.ts'
import type { RedisPlace } from './place.ts'

/**
 * fast: a command fails at once while Redis is away (API). patient: it waits for its return (workers).
 * blocking: patient, for a connection whose commands block (XREAD BLOCK), so no client-side limit per command.
 */
export type RedisKind = 'fast' | 'patient' | 'blocking'

/** ioredis would wait up to 5 s, BullMQ up to 20: after a short outage work should go on at once. */
const MAX_RETRY_MS = 250
const CONNECT_TIMEOUT_MS = 2_000
const COMMAND_TIMEOUT_MS = 2_000

const KINDS: Record<RedisKind, RedisOptions> = {
  fast: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: COMMAND_TIMEOUT_MS },
  patient: { maxRetriesPerRequest: null },
  blocking: { maxRetriesPerRequest: null },
}

/** `options` add to or replace what `kind` says. The caller ends it with `quit()` or `disconnect()`. */
export function openRedis(place: Pick<RedisPlace, 'url'>, kind: RedisKind, options: RedisOptions = {}): Redis {
  const client = new Redis(place.url, { ...connection(), ...KINDS[kind], ...options })
  client.on('error', () => {}) // it reconnects; a command that fails says so itself, and monitor.ts says the state
  return client
}

/** Milliseconds before the n-th reconnect. */
export function retryMs(attempt: number): number {
  return Math.min(MAX_RETRY_MS, attempt * 20)
}

function connection(): RedisOptions {
  return { retryStrategy: retryMs, connectTimeout: CONNECT_TIMEOUT_MS }
}

/** True once the connection serves, false when it does not within `timeoutMs`. */
export async function untilReady(client: Redis, timeoutMs: number): Promise<boolean> {
  if (client.status === 'ready') return true
  const ready = new Promise<true>((resolve) => client.once('ready', () => resolve(true)))
  return within(ready, timeoutMs, false as const)
}
