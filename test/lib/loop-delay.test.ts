import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoopMeter, createLoopWatch } from '../../src/lib/loop-delay.ts'
import { sleep } from '../../src/lib/until.ts'

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('a blocked loop shows while it works, each time since the last reading, and nothing is measured while it waits', async () => {
  const meter = createLoopMeter()
  assert.equal(meter.read(true), 0)
  await sleep(50)
  block(1_000) // far longer than a busy machine makes it wait by itself
  await sleep(50)
  const blocked = meter.read(true)
  assert.ok(blocked > 900 && blocked < 10_000, `it was ${blocked} ms late`)
  await sleep(100)
  assert.ok(meter.read(false) < blocked / 2)
  block(300)
  await sleep(50)
  assert.equal(meter.read(false), 0)
})

test('all who ask are told the same, of the last whole second; nothing is measured while nobody asks', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const readings: boolean[] = []
  const watch = createLoopWatch(() => ({ read: (isBusy) => readings.push(isBusy) }))
  assert.equal(readings.length, 0)
  assert.deepEqual([watch(), watch()], [null, null])
  t.mock.timers.tick(1_000)
  assert.deepEqual([watch(), watch(), readings.length], [2, 2, 2])
  t.mock.timers.tick(1_000)
  assert.equal(watch(), 3)
  t.mock.timers.tick(10 * 60_000)
  assert.deepEqual([readings.length, readings.at(-1), readings.indexOf(false)], [303, false, 302])
  assert.equal(watch(), null, 'what was measured so long ago says nothing')
})
