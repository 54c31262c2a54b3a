/** Names in Redis, and that emptying one prefix leaves every other key alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openRedis } from '../../src/redis/client.ts'
import { removeKeys } from '../../src/redis/empty.ts'
import { createKeys } from '../../src/redis/keys.ts'
import { createPlace } from '../../src/redis/place.ts'
import { findFreePort } from '../../src/redis/port.ts'
import { startPlainRedis } from './redis-process.ts'

test('one prefix with one hash tag; the channels are as the contract names them', () => {
  const keys = createKeys('d1')
  assert.equal(keys.bull, '{sr:d1}:bull')
  assert.equal(keys.key('stream', 'p1'), '{sr:d1}:stream:p1')
  assert.equal(keys.progressChannel('p1'), 'progress:p1')
  assert.equal(keys.stageChannel('p1', 'script'), 'ai_story:project:p1:stage:script')
})

test('thousands of keys of one prefix go, those of others stay', async (t) => {
  const place = createPlace((await startPlainRedis(t)).url, 'attached')
  const [mine, other] = [createKeys('mine'), createKeys('other')]
  const client = openRedis(place, 'patient')
  t.after(() => client.disconnect())
  const names = Array.from({ length: 3_000 }, (_, i) => `${mine.bull}:llm:${i}`)
  await client.mset(Object.fromEntries(names.map((name) => [name, '1'])))
  const kept = [mine.key('stream', 'p1'), `${other.bull}:llm:1`, `${mine.bull}x`]
  await client.mset(Object.fromEntries(kept.map((name) => [name, '1'])))
  assert.equal(await removeKeys(place, mine.bull), true)
  assert.deepEqual((await client.keys('*')).sort(), kept.sort())
})

test('an unreachable Redis is not waited for beyond the limit', async () => {
  const place = createPlace(`redis://127.0.0.1:${await findFreePort()}/0`, 'attached')
  assert.equal(await removeKeys(place, 'any'), false)
})
