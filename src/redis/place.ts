/** Where Redis is, and how that is said without its password. */
import type { RedisSettings } from './settings.ts'

export type RedisMode = 'spawned' | 'attached'

/** `url` holds the password; `describe()` does not. The url and mode can be sent to a child, which makes its own. */
export type RedisPlace = { url: string; mode: RedisMode; describe(): string }

export function createPlace(url: string, mode: RedisMode): RedisPlace {
  return { url, mode, describe: () => withoutSecret(url) }
}

/** REDIS_URL, or one made of REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_PASSWORD. */
export function urlOf(settings: RedisSettings): string {
  if (settings.url !== null) return settings.url
  const secret = settings.password === null ? '' : `:${encodeURIComponent(settings.password)}@`
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return `redis://${secret}${host}:${settings.port}/${settings.db}`
}

export type Address = { host: string; port: number }

export function addressOf(url: string): Address {
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1', port: port === '' ? 6379 : Number(port) }
}

function withoutSecret(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  parsed.search = '' // ioredis takes options there, a password among them
  return parsed.href
}
