import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { createThrottle, progressOf } from '../../src/pipelines/progress.ts'

test('what a stage emits becomes a whole percentage below 100', () => {
  assert.deepEqual(progressOf({ progress: 45.7, message: 'm' }), { progress: 45, message: 'm' })
  assert.deepEqual(progressOf({ progress: 250 }), { progress: 99, message: null })
  assert.deepEqual(progressOf({ progress: -3 }), { progress: 0, message: null })
  assert.deepEqual(progressOf({ progress: Number.NaN }), { progress: 0, message: null })
  assert.deepEqual(progressOf({ current: 3, total: 10, item_name: 'shot-3' }), {
    progress: 30,
    message: 'shot-3 (3 of 10)',
  })
  assert.deepEqual(progressOf({ current: 1, total: 0 }), { progress: 0, message: '1 of 0' })
})

test('the first value goes at once, then the newest at most every interval, and a failed write harms nothing', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const written: number[] = []
  const throttle = createThrottle<number>(async (n) => {
    written.push(n)
    if (n === 1) throw new Error('superseded')
  }, 500)
  for (const n of [1, 2, 3]) throttle.push(n)
  await Promise.resolve()
  assert.deepEqual(written, [1])
  mock.timers.tick(500)
  throttle.push(4)
  await throttle.flush()
  assert.deepEqual(written, [1, 3], 'what is pending at the end is dropped: the end says more')
})
