/** Looks at a Redis once: is it there, which version, how is it configured, how fast. */
import type { Redis } from 'ioredis'
import { messageOf } from '../lib/errors.ts'
import { within } from '../lib/until.ts'
import { knock } from './knock.ts'
import { addressOf } from './place.ts'

/** `policy` and `version` are null when the server does not tell. */
export type RedisAnswer = {
  state: 'answers'
  version: string | null
  policy: string | null
  aof: boolean
  latencyMs: number
}

export type RedisProbe =
  /** Nobody listens, the name is unknown, or no answer came in time. */
  | { state: 'away'; detail: string }
  | { state: 'loading' }
  /** Something answers, but does not let us in or is not a Redis. */
  | { state: 'denied'; detail: string }
  | RedisAnswer

/** Never throws. A refused connection is known at once, before the Redis client is even loaded. */
export async function probeRedis(url: string, deadlineMs = 300): Promise<RedisProbe> {
  const refused = await knock(addressOf(url), deadlineMs)
  if (refused !== null) return { state: 'away', detail: refused }
  const { openRedis } = await import('./client.ts')
  const client = openRedis({ url }, 'patient', { lazyConnect: true, retryStrategy: null, enableReadyCheck: false })
  const late = { state: 'away', detail: `no answer within ${deadlineMs} ms` } as const
  try {
    return await within(ask(client), deadlineMs, late)
  } finally {
    client.disconnect()
  }
}

async function ask(client: Redis): Promise<RedisProbe> {
  let complaint: Error | undefined
  client.on('error', (error) => {
    complaint = error // the rejection of connect() only says that the connection is closed
  })
  try {
    await client.connect()
    return await examine(client)
  } catch (error) {
    return failed(messageOf(complaint ?? error))
  }
}

/** By a connection that is open; throws when it is lost meanwhile. */
export async function examine(client: Redis): Promise<RedisProbe> {
  const startedMs = performance.now()
  await client.ping()
  const latencyMs = performance.now() - startedMs
  const info = parseInfo(await client.info())
  if (info.get('loading') === '1') return { state: 'loading' }
  return {
    state: 'answers',
    version: info.get('redis_version') ?? null,
    policy: info.get('maxmemory_policy') ?? (await askPolicy(client)),
    aof: info.get('aof_enabled') === '1',
    latencyMs: Math.round(latencyMs * 100) / 100,
  }
}

/** Some old or proxied servers leave it out of INFO; many managed ones forbid CONFIG. */
async function askPolicy(client: Redis): Promise<string | null> {
  const reply = await client.config('GET', 'maxmemory-policy').catch(() => [])
  const [, value] = reply as string[]
  return value ?? null
}

function failed(detail: string): RedisProbe {
  if (/^LOADING/.test(detail)) return { state: 'loading' }
  if (/ECONN|ETIMEDOUT|EPIPE|closed/i.test(detail)) return { state: 'away', detail }
  return { state: 'denied', detail }
}

/** INFO's `name:value` lines. */
export function parseInfo(text: string): Map<string, string> {
  const rows = text.split(/\r?\n/).filter((line) => /^[^#\s].*:/.test(line))
  return new Map(rows.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}
