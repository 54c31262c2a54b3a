/** Long polling over the same cursor as every other viewer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PollAnswer } from '../../src/stream/hub.ts'
import { completeStage, DONE, openLive, startStage } from './live.ts'

test('long polling: the same cursor, an answer with the first news, and an end', async (t) => {
  const live = await openLive(t, { stages: ['write'] })
  const ask = (since: string | undefined, waitMs: number, signal = new AbortController().signal) =>
    live.hub.poll('p', { since, v: 2, waitMs, signal })
  const first = await ask(undefined, 10_000)
  assert.deepEqual(
    first.events.map((e) => e.type),
    ['connected', 'project_update'],
  )
  const waiting = ask(first.next, 20_000)
  const stream = await startStage(live, 'write')
  const second = await waiting
  assert.ok(second.events.length > 0 && second.events.every((e) => e.type !== 'connected'))
  let last: PollAnswer = second
  while (last.events.at(-1)?.type !== 'project_update') last = await ask(last.next, 5_000) // they may come one by one
  let { next } = last
  assert.deepEqual(await ask(next, 30), { events: [], next, up_to_date: true, closed: false })
  const left = new AbortController()
  const aborted = ask(next, 20_000, left.signal)
  left.abort()
  assert.deepEqual((await aborted).events, [])
  stream.text('words')
  await stream.done(DONE)
  await completeStage(live, 'write', 'words')
  let answer = await ask(next, 5_000)
  const types: string[] = []
  for (; !answer.closed; answer = await ask(next, 5_000)) {
    types.push(...answer.events.map((e) => e.type))
    next = answer.next
  }
  types.push(...answer.events.map((e) => e.type))
  assert.deepEqual(types, ['token', 'done', 'stage_update', 'project_update'])
  assert.deepEqual((await ask(answer.next, 20_000)).closed, true)
  assert.equal(live.hub.stats().viewers, 0)
})
