/** Lines in memory are for those who follow: nobody else's are kept, and what has gone is known to have gone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogFeed } from '../../src/launch/log-feed.ts'

const line = (id: number, length = 10) => ({ id, line: id, process: id % 2 ? 'odd' : 'even', text: 'x'.repeat(length) })
const ids = (lines: { id: number }[]) => lines.map(({ id }) => id)

test('without a follower nothing is kept; with one what comes is, and of which process', () => {
  let nowMs = 0
  const feed = createLogFeed(5, () => nowMs)
  assert.equal(feed.floor, 5)
  feed.add(line(6))
  assert.deepEqual([feed.floor, ids(feed.after(6, undefined))], [6, []])
  for (let id = 7; id <= 12; id++) feed.add(line(id))
  assert.deepEqual(
    [feed.floor, ids(feed.after(8, undefined)), ids(feed.after(0, 'odd'))],
    [6, [9, 10, 11, 12], [7, 9, 11]],
  )
  nowMs += 60_000
  feed.add(line(13))
  assert.deepEqual([feed.floor, ids(feed.after(0, undefined))], [13, []], 'the follower has gone')
})

test('what does not fit goes, oldest first, and the floor says so', () => {
  const feed = createLogFeed(0, () => 0)
  feed.after(0, undefined)
  for (let id = 1; id <= 2_000; id++) feed.add(line(id, 1_024))
  const kept = ids(feed.after(0, undefined))
  assert.equal(kept[0], feed.floor + 1)
  assert.equal(ids(feed.after(1_990, undefined)).at(-1), 2_000)
  assert.ok(feed.floor >= 1_700 && feed.floor < 1_990, `floor ${feed.floor}`)
})

test('who waits is woken by the next line, or by the signal', async () => {
  const feed = createLogFeed(0)
  const stop = new AbortController()
  const woken = feed.more(stop.signal)
  feed.add(line(1))
  await woken
  assert.deepEqual(ids(feed.after(0, undefined)), [1], 'a line that somebody waits for is kept')
  const ended = feed.more(stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(ended, /enough/)
})
