/** When a SIGKILL may have been the kernel's, for want of memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryKills } from '../../src/lib/memory-kills.ts'

test('a kill by the kernel is seen at once, for seconds, and then no more', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let count = 7
  const kills = createMemoryKills(() => count)
  assert.equal(kills.justNow(), false, 'what was before us is not ours')
  count++
  assert.equal(kills.justNow(), true)
  t.mock.timers.tick(5_000)
  assert.equal(kills.justNow(), true, 'the look came between the kill and the question')
  t.mock.timers.tick(5_000)
  assert.equal(kills.justNow(), false, 'a later kill has another cause')
  count++
  assert.equal(kills.justNow(), true)
  kills.stop()
})

test('where nobody counts them there are none, and no timer', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let reads = 0
  const kills = createMemoryKills(() => {
    reads++
    return null
  })
  const before = reads
  t.mock.timers.tick(60_000)
  assert.deepEqual([kills.justNow(), reads], [false, before])
  kills.stop()
})

test('this machine counts them, if it is Linux', { skip: process.platform !== 'linux' }, () => {
  const kills = createMemoryKills()
  assert.equal(kills.justNow(), false)
  kills.stop()
})
