/** Lines come out whole, however the bytes arrive, and never longer than allowed. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createLineRing, createLineSplitter, readLines } from '../../src/supervisor/lines.ts'

const CASES: { name: string; chunks: string[]; lines: string[] }[] = [
  { name: 'several in one chunk', chunks: ['a\nb\nc\n'], lines: ['a', 'b', 'c'] },
  { name: 'one over several chunks', chunks: ['a', 'b', 'c\nd'], lines: ['abc', 'd'] },
  { name: 'empty lines and CRLF', chunks: ['\n\r\na\r\n'], lines: ['', '', 'a'] },
  { name: 'exactly at the limit', chunks: ['12345678\n'], lines: ['12345678'] },
  { name: 'one over it', chunks: ['123456789\nb\n'], lines: ['12345678 … [cut]', 'b'] },
  { name: 'cut between words', chunks: ['1234 6789\nb\n'], lines: ['1234 … [cut]', 'b'] },
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

test('a flood waits in between: others get their turns, and no line is lost or out of order', async () => {
  const stream = new PassThrough({ highWaterMark: 1e6 })
  const seen: number[] = []
  let turns = 0
  const turn = () => {
    turns++
    ticking = setImmediate(turn)
  }
  let ticking = setImmediate(turn)
  readLines(stream, (line) => {
    seen.push(Number(line))
    const busyUntil = performance.now() + 0.2
    while (performance.now() < busyUntil);
  })
  // 200 lines in 20 pieces that are all there at once: 40 ms of work.
  for (let n = 0; n < 200; n += 10) stream.write(`${Array.from({ length: 10 }, (_, i) => n + i).join('\n')}\n`)
  stream.end()
  await new Promise((resolve) => stream.once('close', resolve))
  clearImmediate(ticking)
  assert.deepEqual(
    seen,
    Array.from({ length: 200 }, (_, n) => n),
  )
  assert.ok(turns >= 6, `others had ${turns} turns`)
})
