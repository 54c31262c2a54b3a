/** A time of day means the last one gone by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoOf, momentOf, spanMsOf } from '../../src/lib/moment.ts'

const now = new Date(2026, 10, 23, 14, 2, 30)
const local = (day: number, ...time: [number, number, number]) => new Date(2026, 10, day, ...time).getTime()

const CASES: [text: string, ms: number][] = [
  ['14:02', local(23, 14, 2, 0)],
  ['14:02:31', local(22, 14, 2, 31)],
  ['9:05', local(23, 9, 5, 0)],
  ['23:59', local(22, 23, 59, 0)],
  ['2026-11-23T10:00:00Z', Date.UTC(2026, 10, 23, 10)],
  ['24:00', Number.NaN],
  ['soon', Number.NaN],
]

for (const [text, ms] of CASES) test(text, () => assert.equal(momentOf(text, now), ms))

const SPANS: [text: string, ms: number, iso: string][] = [
  ['14:02', 60_000, '2026-11-23T14:02Z'],
  ['9:05', 60_000, '2026-11-23T14:02Z'],
  ['14:02:11', 1_000, '2026-11-23T14:02:11Z'],
  ['2026-11-23T14:02Z', 60_000, '2026-11-23T14:02Z'],
  ['2026-11-23 14:02', 60_000, '2026-11-23T14:02Z'],
  ['2026-11-23T14:02+02:00', 60_000, '2026-11-23T14:02Z'],
  ['2026-11-23T14:02:11+02:00', 1_000, '2026-11-23T14:02:11Z'],
  ['2026-11-23T14:02:11.250Z', 0, '2026-11-23T14:02:11.250Z'],
  ['2026-11-23', 0, '2026-11-23T14:02:11.250Z'],
]
for (const [text, ms, iso] of SPANS)
  test(`${text} lasts ${ms} ms, which its ISO form keeps`, () => {
    assert.equal(spanMsOf(text), ms)
    assert.equal(isoOf(Date.UTC(2026, 10, 23, 14, 2, 11, 250), ms), iso)
    assert.equal(spanMsOf(iso), ms)
  })
