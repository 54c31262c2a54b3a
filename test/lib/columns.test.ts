import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnsOf, cutToColumns, printable, printableLines } from '../../src/lib/columns.ts'

const WIDTHS: [text: string, columns: number][] = [
  ['', 0],
  ['render', 6],
  ['Ä ß é', 5],
  ['e\u0301', 1], // an e with an accent of its own
  ['山の上', 6],
  ['한국', 4],
  ['🎬 film', 7],
  ['👩‍👩‍👧', 2],
  ['（）', 4],
  ['\x1b[31mred\x1b[39m', 3],
]

for (const [text, columns] of WIDTHS)
  test(`${JSON.stringify(text)} takes ${columns} columns`, () => assert.equal(columnsOf(text), columns))

test('what fits stays as it is, else it is cut between characters, with an ellipsis', () => {
  assert.equal(cutToColumns('render', 6), 'render')
  assert.equal(cutToColumns('rendering', 6), 'rende…')
  assert.equal(cutToColumns('山の上のホテル', 6), '山の…')
  assert.equal(cutToColumns('👩‍👩‍👧👩‍👩‍👧', 3), '👩‍👩‍👧…')
  for (let columns = 1; columns < 12; columns++) assert.ok(columnsOf(cutToColumns('a山b山c山d', columns)) <= columns)
})

test("another's words cannot order the terminal about, and stay on one line", () => {
  assert.equal(printable('a\x1b[2Jb\nc\x07d\x9b31me'), 'ab c de')
})

test('nor can those of several lines, which stay such, nor one order in two pieces', () => {
  assert.equal(printableLines('a\x1b[2Jb\r\n\tc\x07d\x9b1m'), 'a·[2Jb\n\tc·d·1m')
  assert.equal(['\x1b', '[2J'].map(printableLines).join(''), '·[2J')
})
