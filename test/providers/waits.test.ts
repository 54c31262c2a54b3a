/** Durations and midnights as servers mean them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationOf, nextMidnight } from '../../src/providers/waits.ts'

test('reads durations and refuses what is none', () => {
  const rows = { '36s': 36_000, '6m0s': 360_000, '20ms': 20, '1h2m3.5s': 3_723_500, '0.5s': 500 }
  for (const [text, ms] of Object.entries(rows)) assert.equal(durationOf(text), ms, text)
  for (const text of ['', '36', 's', 'soon', '1d', 36, undefined]) assert.equal(durationOf(text), null, String(text))
})

test('midnight in California, on both sides of both changes of the clock', () => {
  const rows = {
    '2026-11-21T12:00:00Z': '2026-11-22T08:00:00.000Z',
    '2026-07-01T06:59:59Z': '2026-07-01T07:00:00.000Z',
    '2026-07-01T07:00:00Z': '2026-07-02T07:00:00.000Z',
    '2026-03-08T12:00:00Z': '2026-03-09T07:00:00.000Z',
    '2026-11-01T12:00:00Z': '2026-11-02T08:00:00.000Z',
  }
  for (const [now, midnight] of Object.entries(rows))
    assert.equal(nextMidnight(Date.parse(now), 'America/Los_Angeles'), midnight, now)
})
