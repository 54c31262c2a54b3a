/** Lines come out whole, however the bytes arrive, and never longer than allowed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLineRing, createLineSplitter } from '../../src/supervisor/lines.ts'

const CASES: { name: string; chunks: string[]; lines: string[] }[] = [
  { name: 'several in one chunk', chunks: ['a\nb\nc\n'], lines: ['a', 'b', 'c'] },
  { name: 'one over several chunks', chunks: ['a', 'b', 'c\nd'], lines: ['abc', 'd'] },
  { name: 'empty lines and CRLF', chunks: ['\n\r\na\r\n'], lines: ['', '', 'a'] },
  { name: 'exactly at the limit', chunks: ['12345678\n'], lines: ['12345678'] },
  { name: 'one over it', chunks: ['123456789\nb\n'], lines: ['12345678 … [cut]', 'b'] },
  { name: 'a flood that never ends', chunks: Array.from({ length: 100 }, () => '12345'), lines: ['12345123 … [cut]'] },
  {
    name: 'a cut line resumes at the next newline',
    chunks: ['1234567', '8901', '23\nb'],
    lines: ['12345678 … [cut]', 'b'],
  },
]

for (const { name, chunks, lines } of CASES) {
  test(name, () => {
    const seen: string[] = []
    const splitter = createLineSplitter((line) => seen.push(line), 8)
    for (const chunk of chunks) splitter.push(chunk)
    splitter.end()
    assert.deepEqual(seen, lines)
  })
}

test('a ring keeps the last lines, each cut', () => {
  const ring = createLineRing(2, 3)
  for (const line of ['one', 'two', 'three']) ring.add(line)
  assert.deepEqual(ring.list(), ['two', 'thr'])
  ring.clear()
  assert.deepEqual(ring.list(), [])
})
