import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLoopMeter } from '../../src/lib/loop-delay.ts'
import { sleep } from '../../src/lib/until.ts'

function block(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('a blocked loop shows while it works, each time since the last reading, and nothing is measured while it waits', async () => {
  const meter = createLoopMeter()
  assert.equal(meter.read(true), 0)
  await sleep(50)
  block(300)
  await sleep(50)
  const blocked = meter.read(true)
  assert.ok(blocked > 200 && blocked < 2_000, `it was ${blocked} ms late`)
  await sleep(100)
  assert.ok(meter.read(false) < blocked / 2)
  block(300)
  await sleep(50)
  assert.equal(meter.read(false), 0)
})
