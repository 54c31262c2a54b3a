/** Attach, spawn or refuse: the contract's REDIS paragraph as a table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlace, urlOf } from '../../src/redis/place.ts'
import type { RedisAnswer, RedisProbe } from '../../src/redis/probe.ts'
import { needsProbe, resolveRedis } from '../../src/redis/resolve.ts'
import type { RedisSettings } from '../../src/redis/settings.ts'

const DEFAULTS: RedisSettings = {
  mode: 'auto',
  url: null,
  host: '127.0.0.1',
  port: 6379,
  portExplicit: false,
  db: 0,
  password: null,
}
const FIT: RedisAnswer = { state: 'answers', version: '7.0.15', policy: 'noeviction', aof: true, latencyMs: 0.2 }
const AWAY: RedisProbe = { state: 'away', detail: 'connect ECONNREFUSED' }
const DENIED: RedisProbe = { state: 'denied', detail: 'WRONGPASS' }
const URL = 'redis://:secret@cache.example:7000/2'

type Case = {
  name: string
  settings: Partial<RedisSettings>
  probe: RedisProbe | null
  /** `attach <place>`, `spawn <port>` or `refuse <code>`. */
  outcome: string
  says: RegExp | null
}

const CASES: Case[] = [
  {
    name: 'auto, nobody there',
    settings: {},
    probe: AWAY,
    outcome: 'spawn free',
    says: /127\.0\.0\.1:6379 has no Redis.*ECONNREFUSED/,
  },
  { name: 'auto, a fit one', settings: {}, probe: FIT, outcome: 'attach redis://127.0.0.1:6379/0', says: null },
  {
    name: 'auto, no AOF',
    settings: {},
    probe: { ...FIT, aof: false },
    outcome: 'spawn free',
    says: /without an append-only file/,
  },
  {
    name: 'auto, evicting',
    settings: {},
    probe: { ...FIT, policy: 'allkeys-lru' },
    outcome: 'spawn free',
    says: /maxmemory-policy is allkeys-lru/,
  },
  {
    name: 'auto, old',
    settings: {},
    probe: { ...FIT, version: '6.0.16' },
    outcome: 'spawn free',
    says: /version 6\.0\.16/,
  },
  {
    name: 'auto, locked',
    settings: {},
    probe: DENIED,
    outcome: 'spawn free',
    says: /does not let us in \(WRONGPASS\)/,
  },
  { name: 'auto, loading', settings: {}, probe: { state: 'loading' }, outcome: 'spawn free', says: /still loading/ },
  {
    name: 'auto, own port free',
    settings: { port: 6400, portExplicit: true },
    probe: AWAY,
    outcome: 'spawn 6400',
    says: /6400 has no Redis/,
  },
  {
    name: 'auto, own port has an unfit one',
    settings: { port: 6400, portExplicit: true },
    probe: { ...FIT, aof: false },
    outcome: 'spawn free',
    says: /6400 has a Redis without/,
  },
  {
    name: 'auto with URL, fit',
    settings: { url: URL },
    probe: FIT,
    outcome: 'attach redis://cache.example:7000/2',
    says: null,
  },
  {
    name: 'auto with URL, no AOF is only a warning',
    settings: { url: URL },
    probe: { ...FIT, aof: false },
    outcome: 'attach redis://cache.example:7000/2',
    says: /append-only file/,
  },
  {
    name: 'auto with URL, away',
    settings: { url: URL },
    probe: AWAY,
    outcome: 'attach redis://cache.example:7000/2',
    says: /not reachable yet.*retrying/,
  },
  {
    name: 'auto with URL, evicting',
    settings: { url: URL },
    probe: { ...FIT, policy: 'volatile-ttl' },
    outcome: 'refuse unavailable',
    says: /cache\.example.*volatile-ttl.*noeviction/,
  },
  {
    name: 'attach, never spawns',
    settings: { mode: 'attach' },
    probe: AWAY,
    outcome: 'attach redis://127.0.0.1:6379/0',
    says: /not reachable yet/,
  },
  {
    name: 'attach, loading',
    settings: { mode: 'attach' },
    probe: { state: 'loading' },
    outcome: 'attach redis://127.0.0.1:6379/0',
    says: /loading/,
  },
  {
    name: 'attach, wrong password',
    settings: { mode: 'attach', password: 'hidden' },
    probe: DENIED,
    outcome: 'refuse unavailable',
    says: /does not let us in: WRONGPASS/,
  },
  {
    name: 'attach, 6.2 is enough',
    settings: { mode: 'attach' },
    probe: { ...FIT, version: '6.2.0' },
    outcome: 'attach redis://127.0.0.1:6379/0',
    says: null,
  },
  {
    name: 'attach, 10 is more than 6.2',
    settings: { mode: 'attach' },
    probe: { ...FIT, version: '10.0.1' },
    outcome: 'attach redis://127.0.0.1:6379/0',
    says: null,
  },
  {
    name: 'attach, nothing can be read',
    settings: { mode: 'attach' },
    probe: { ...FIT, version: null, policy: null },
    outcome: 'refuse unavailable',
    says: /version cannot be read/,
  },
  {
    name: 'attach, policy cannot be read',
    settings: { mode: 'attach' },
    probe: { ...FIT, policy: null },
    outcome: 'refuse unavailable',
    says: /policy cannot be read/,
  },
  { name: 'spawn', settings: { mode: 'spawn', url: URL }, probe: null, outcome: 'spawn free', says: /REDIS=spawn/ },
  {
    name: 'spawn on a port',
    settings: { mode: 'spawn', port: 6400, portExplicit: true },
    probe: AWAY,
    outcome: 'spawn 6400',
    says: /REDIS=spawn/,
  },
  {
    name: 'spawn on a taken port',
    settings: { mode: 'spawn', port: 6400, portExplicit: true },
    probe: FIT,
    outcome: 'refuse conflict',
    says: /6400 .*taken/,
  },
]

for (const { name, settings, probe, outcome, says } of CASES) {
  test(name, () => {
    const all = { ...DEFAULTS, ...settings }
    assert.equal(needsProbe(all), probe !== null)
    const { outcome: actual, text } = worded(resolveRedis(all, probe))
    assert.equal(actual, outcome)
    if (says) assert.match(text ?? '', says)
    else assert.equal(text, null)
    assert.doesNotMatch(`${actual} ${text}`, /secret|hidden/)
  })
}

test('exit codes: an unfit server 69, a taken port 5', () => {
  const unfit = resolveRedis({ ...DEFAULTS, mode: 'attach' }, DENIED)
  assert.ok(unfit.mode === 'refuse' && unfit.error.code === 'unavailable')
})

test('URLs are made of the parts, and shown without a secret', () => {
  assert.equal(urlOf({ ...DEFAULTS, password: 'p@ss/word', db: 3 }), 'redis://:p%40ss%2Fword@127.0.0.1:6379/3')
  assert.equal(urlOf({ ...DEFAULTS, host: '::1' }), 'redis://[::1]:6379/0')
  assert.equal(createPlace('rediss://user:pw@host:1/2?password=pw', 'attached').describe(), 'rediss://host:1/2')
})

function worded(decision: ReturnType<typeof resolveRedis>): { outcome: string; text: string | null } {
  if (decision.mode === 'attach') return { outcome: `attach ${decision.place.describe()}`, text: decision.note }
  if (decision.mode === 'spawn') return { outcome: `spawn ${decision.port ?? 'free'}`, text: decision.why }
  return { outcome: `refuse ${decision.error.code}`, text: decision.error.message }
}
