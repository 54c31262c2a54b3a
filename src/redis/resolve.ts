/** Decides between attaching to a Redis and spawning our own. Pure; the rules are the contract's. */
import { AppError } from '../lib/errors.ts'
import { checkRedis } from './check.ts'
import { createPlace, type RedisPlace, urlOf } from './place.ts'
import type { RedisProbe } from './probe.ts'
import type { RedisSettings } from './settings.ts'

export type RedisDecision =
  /** `note` is for people: a warning, or that it is not reachable yet. */
  | { mode: 'attach'; place: RedisPlace; note: string | null }
  /** `port` null = a free one. */
  | { mode: 'spawn'; why: string; port: number | null }
  | { mode: 'refuse'; error: AppError }

/** False when the decision needs no look at any server. */
export function needsProbe(settings: RedisSettings): boolean {
  return settings.mode !== 'spawn' || settings.portExplicit
}

/** `probe` is null when none was needed. */
export function resolveRedis(settings: RedisSettings, probe: RedisProbe | null): RedisDecision {
  if (settings.mode === 'spawn') return ownRedis(settings, probe)
  if (probe === null) throw new AppError('internal', 'Redis has to be probed before it can be attached to')
  if (settings.mode === 'attach' || settings.url !== null) return attach(settings, probe)
  return attachIfFit(settings, probe)
}

function ownRedis(settings: RedisSettings, probe: RedisProbe | null): RedisDecision {
  if (!settings.portExplicit) return { mode: 'spawn', why: 'REDIS=spawn', port: null }
  if (probe === null || probe.state === 'away') return { mode: 'spawn', why: 'REDIS=spawn', port: settings.port }
  const message = `Port ${settings.port} (REDIS_PORT) is taken, so our own Redis cannot listen there; free it, choose another, or leave REDIS_PORT out`
  return { mode: 'refuse', error: new AppError('conflict', message) }
}

/** The user named this server, so another one would be a surprise: wait for it, or say why it cannot be used. */
function attach(settings: RedisSettings, probe: RedisProbe): RedisDecision {
  const place = createPlace(urlOf(settings), 'attached')
  if (probe.state === 'away') return { mode: 'attach', place, note: `not reachable yet (${probe.detail}); retrying` }
  if (probe.state === 'loading') return { mode: 'attach', place, note: 'still loading its data; retrying' }
  if (probe.state === 'denied') return refuse(place, `does not let us in: ${probe.detail}`)
  const { refusal, warning } = checkRedis(probe)
  return refusal === null ? { mode: 'attach', place, note: warning } : refuse(place, `cannot be used: ${refusal}`)
}

function refuse(place: RedisPlace, why: string): RedisDecision {
  return { mode: 'refuse', error: new AppError('unavailable', `The Redis at ${place.describe()} ${why}`) }
}

/** Nobody named this server; it is used only when it is as good as one of our own. */
function attachIfFit(settings: RedisSettings, probe: RedisProbe): RedisDecision {
  const place = createPlace(urlOf(settings), 'attached')
  const flaw = flawOf(probe)
  if (flaw === null) return { mode: 'attach', place, note: null }
  const isFree = probe.state === 'away'
  return {
    mode: 'spawn',
    why: `${settings.host}:${settings.port} ${flaw}`,
    port: settings.portExplicit && isFree ? settings.port : null,
  }
}

function flawOf(probe: RedisProbe): string | null {
  if (probe.state === 'away') return `has no Redis (${probe.detail})`
  if (probe.state === 'loading') return 'has a Redis that is still loading'
  if (probe.state === 'denied') return `does not let us in (${probe.detail})`
  const { refusal } = checkRedis(probe)
  if (refusal !== null) return `has a Redis, but ${refusal}`
  return probe.aof ? null : 'has a Redis without an append-only file'
}
