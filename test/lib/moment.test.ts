/** A time of day means the last one gone by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { momentOf } from '../../src/lib/moment.ts'

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
