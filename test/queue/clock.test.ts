import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isClockBehind } from '../../src/queue/clock.ts'

test('a clock is behind when the last record was written in its future, by more than clocks are corrected', () => {
  const updated_at = '2026-01-01T12:00:00.000Z'
  const behind = (ms: number) => isClockBehind({ updated_at }, Date.parse(updated_at) + ms)
  assert.deepEqual([-3_600_000, -2_001, -2_000, 0, 3_600_000].map(behind), [true, true, false, false, false])
})
