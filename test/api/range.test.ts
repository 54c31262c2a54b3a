/** Ranges and entity tags, as tables (RFC 9110, 13 and 14). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowsRange, type ByteRange, matchesNone, parseRange } from '../../src/api/range.ts'

const RANGES: [string | undefined, number, ByteRange | 'unsatisfiable' | undefined][] = [
  [undefined, 10, undefined],
  ['bytes=0-', 10, { start: 0, end: 9 }],
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=3-5', 10, { start: 3, end: 5 }],
  ['Bytes=3-99', 10, { start: 3, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-99', 10, { start: 0, end: 9 }],
  ['bytes=9-', 10, { start: 9, end: 9 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=5-3', 10, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=a-b', 10, undefined],
  ['bytes=0-1,3-4', 10, undefined],
  ['items=0-1', 10, undefined],
  ['bytes=99999999999999999999-', 10, undefined],
]

for (const [header, size, expected] of RANGES)
  test(`Range "${header}" of ${size} bytes`, () => assert.deepEqual(parseRange(header, size), expected))

const NONE: [string | undefined, boolean][] = [
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
]

for (const [header, expected] of NONE)
  test(`If-None-Match ${header}`, () => assert.equal(matchesNone(header, '"a"'), expected))

test('If-Range allows a range only for exactly this tag', () => {
  assert.equal(allowsRange(undefined, '"a"'), true)
  assert.equal(allowsRange('"a"', '"a"'), true)
  assert.equal(allowsRange('W/"a"', '"a"'), false)
  assert.equal(allowsRange('"b"', '"a"'), false)
  assert.equal(allowsRange('Sat, 21 Nov 2026 10:00:00 GMT', '"a"'), false)
})
