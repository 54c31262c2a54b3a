/** What /readyz looks at. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { createReadiness, type ReadinessSources } from '../../src/launch/readiness.ts'
import { tempFolder } from '../helpers/temp.ts'
import { childStatus } from './child-status.ts'

function sources(dataDir: string, changes: Partial<ReadinessSources> = {}): ReadinessSources {
  return {
    redis: () => ({ running: true, latency_ms: 1, since: '2026-01-01T00:00:00.000Z', refusal: null }),
    children: () => [childStatus()],
    groups: ['io'],
    dataDir,
    phase: () => 'running',
    ...changes,
  }
}

const failing = async (from: ReadinessSources) => {
  const { ok, checks } = await createReadiness(from)()
  const bad = checks.filter((one) => !one.ok).map(({ name, message }) => `${name}: ${message}`)
  assert.equal(ok, bad.length === 0)
  return bad.join('; ')
}

test('a disk with hardly any room left is not ready, whoever asks; nor is a folder that is gone', async (t) => {
  const folder = await tempFolder(t)
  assert.equal(await failing(sources(folder)), '')
  for (const [megabytes, said] of [
    [0, 'disk: only 0 MB are free'],
    [31.5, 'disk: only 31 MB are free'],
    [32, ''],
    [Number.POSITIVE_INFINITY, ''],
  ] as const)
    assert.equal(await failing(sources(folder, { freeBytes: async () => megabytes * 1024 ** 2 })), said)
  assert.match(await failing(sources(join(folder, 'gone'))), /^disk: the data folder cannot be written: ENOENT/)
})

test('a group without a ready process, a Redis that is away and a stop are named', async (t) => {
  const folder = await tempFolder(t)
  const away = { running: false, latency_ms: null, since: '2026-01-01T00:00:00.000Z', refusal: null }
  const bad = sources(folder, { redis: () => away, groups: ['io', 'media'], phase: () => 'stopping' })
  assert.equal(
    await failing(bad),
    'redis: no answer since 2026-01-01T00:00:00.000Z; workers: no ready process in media; accepting: stopping',
  )
})
