/** Shapes of text: edges of sizes, durations, bars and tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barText, bytesText, durationText, textTable } from '../../src/cli/text.ts'

test('sizes', () => {
  const cases: [number, string][] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [10 * 1024, '10 KB'],
    [1024 ** 2 - 1, '1024 KB'],
    [5 * 1024 ** 3, '5.0 GB'],
    [3 * 1024 ** 5, '3072 TB'],
  ]
  for (const [bytes, expected] of cases) assert.equal(bytesText(bytes), expected)
})

test('durations', () => {
  const cases: [number, string][] = [
    [-1, '0.0 s'],
    [0.81, '0.8 s'],
    [59.9, '59 s'],
    [60, '1 min 0 s'],
    [3599, '59 min 59 s'],
    [3660, '1 h 1 min'],
    [90_000, '1 d 1 h'],
  ]
  for (const [seconds, expected] of cases) assert.equal(durationText(seconds), expected)
})

test('bars', () => {
  assert.equal(barText(0, 4), '[····]   0 %')
  assert.equal(barText(50, 4), '[██··]  50 %')
  assert.equal(barText(99.9, 4), '[███·]  99 %', 'full only at the end')
  assert.equal(barText(100, 4), '[████] 100 %')
  assert.equal(barText(250, 4), '[████] 100 %')
})

test('tables: colours take no room', () => {
  assert.equal(
    textTable([
      ['a', 'b'],
      ['\u001b[32mlong\u001b[39m', 'c'],
    ]),
    'a     b\n\u001b[32mlong\u001b[39m  c',
  )
  assert.equal(textTable([]), '')
})
