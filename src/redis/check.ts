/** What a Redis must be like before we trust it with the queues. Pure. */
import type { RedisAnswer } from './probe.ts'

export type RedisVerdict = {
  /** Why it cannot be used, or null. */
  refusal: string | null
  /** What is unwise but works, or null. */
  warning: string | null
}

/** BullMQ and our streams use commands of 6.2. */
const MIN_VERSION = [6, 2] as const

export function checkRedis(answer: RedisAnswer): RedisVerdict {
  return { refusal: refusalOf(answer), warning: answer.aof ? null : NO_AOF }
}

const NO_AOF =
  'It keeps no append-only file (appendonly no): queued work survives its crash only because Showrunner rebuilds it from disk'

function refusalOf({ version, policy }: RedisAnswer): string | null {
  const least = MIN_VERSION.join('.')
  if (version === null) return `its version cannot be read (INFO must be allowed); ${least} or newer is needed`
  if (!isRecent(version)) return `it is version ${version}; ${least} or newer is needed`
  if (policy === null) return 'its maxmemory-policy cannot be read (INFO or CONFIG GET must be allowed)'
  if (policy !== 'noeviction')
    return `its maxmemory-policy is ${policy}, which would drop queued work; set it to noeviction`
  return null
}

export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1])
}
