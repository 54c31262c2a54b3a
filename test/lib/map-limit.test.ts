/** Bounded parallel work: order, bound, and what happens to the others when one fails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapLimit } from '../../src/lib/map-limit.ts'

test('keeps the order and never exceeds the limit', async () => {
  let running = 0
  let most = 0
  const doubled = await mapLimit([5, 1, 4, 2, 3], 2, async (n) => {
    most = Math.max(most, ++running)
    for (let i = 0; i < n; i++) await new Promise(setImmediate)
    running--
    return 2 * n
  })
  assert.deepEqual(doubled, [10, 2, 8, 4, 6])
  assert.equal(most, 2)
})

test('after a failure nothing new begins, and what runs is awaited', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const mapping = mapLimit([1, 2, 3, 4], 2, async (n) => {
    begun.push(n)
    if (n === 1) throw new Error('the first one')
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
    ended.push(n)
  })
  await assert.rejects(mapping, /the first one/)
  assert.deepEqual({ begun, ended }, { begun: [1, 2], ended: [2] })
})

test('nothing to do', async () => assert.deepEqual(await mapLimit([], 3, async () => 1), []))
