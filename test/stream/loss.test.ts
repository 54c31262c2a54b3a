/** Redis that is killed, emptied, stopped or away, and workers that die: every viewer recovers, none is left silent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { startWatch } from '../helpers/stopwatch.ts'
import type { TestClient } from './client.ts'
import { completeStage, DONE, openHub, openLive, sees, startStage, T0, typesOf, view } from './live.ts'
import { AOF } from './redis.ts'

test('FLUSHALL under three streaming stages and one that only has progress: nobody is left silent', async (t) => {
  const stages = ['a', 'b', 'c', 'quiet']
  const live = await openLive(t, { stages })
  const streams = await Promise.all(['a', 'b', 'c'].map((stage) => startStage(live, stage)))
  const quiet = await startStage(live, 'quiet')
  const clients = await Promise.all([1, 2].map(async (v) => (await view(live.hub, { v: v as 1 | 2 })).client))
  const text = () => streams[0]!.fullText()
  const say = (words: string) => streams.forEach((stream) => void stream.text(words))
  say('before 😀 ')
  for (const client of clients) await sees(client, 'c', 'before 😀 ')
  await live.redis.flushall()
  say('after 漢字 ')
  for (const client of clients) for (const stage of ['a', 'b', 'c']) await sees(client, stage, text())
  for (const client of clients) {
    assert.ok(client.of('connected').length >= 2)
    assert.equal(client.of('connected').at(-1).recovered, false)
  }
  await live.redis.flushall()
  const known = clients.map((client) => client.of('connected').length)
  for (const [i, client] of clients.entries())
    await until(() => client.of('connected').length > known[i]!, { timeoutMs: 10_000, what: 'a new beginning' })
  quiet.progress({ current: 1, total: 2, progress: 50 })
  for (const client of clients) {
    await until(() => client.of('progress', 'quiet').some((m) => m.current === 1), { timeoutMs: 10_000 })
    assert.equal(client.of('connected').at(-1).stages.quiet, 'running')
  }
  say('end')
  for (const client of clients) for (const stage of ['a', 'b', 'c']) await sees(client, stage, text())
  assert.deepEqual(
    clients.flatMap((client) => client.faults),
    [],
  )
})

test('kill -9 of Redis with an append-only file under three streaming stages', async (t) => {
  const live = await openLive(t, { stages: ['a', 'b', 'c'], args: AOF })
  const streams = await Promise.all(['a', 'b', 'c'].map((stage) => startStage(live, stage)))
  const { client } = await view(live.hub)
  for (const stream of streams) stream.text('before ')
  await sees(client, 'c', 'before ')
  await live.server.restart()
  for (const stream of streams) stream.text('after')
  for (const stage of ['a', 'b', 'c']) await sees(client, stage, 'before after')
  assert.deepEqual(client.faults, [])
})

test('Redis stopped (SIGSTOP) and the reader’s connection killed: both heal', async (t) => {
  const live = await openLive(t)
  const stream = await startStage(live, 'write')
  const { client } = await view(live.hub)
  for (const word of ['one ', 'two ']) {
    await live.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    stream.text(word)
    await sees(client, 'write', stream.fullText())
  }
  live.server.pause()
  stream.text('three')
  await assert.rejects(live.redis.ping()) // it hangs for longer than a command may take
  live.server.resume()
  await sees(client, 'write', 'one two three')
  assert.deepEqual(client.faults, [])
})

test('a stage that ends while Redis hangs: its end is told before the project’s', async (t) => {
  const live = await openLive(t, { stages: ['write'] })
  const stream = await startStage(live, 'write')
  const { client } = await view(live.hub)
  stream.text('all ')
  await sees(client, 'write', 'all ')
  live.server.pause()
  stream.text('of it') // its answer never comes in time, and the end waits behind it
  live.project.texts.write = 'all of it'
  live.project.change('write', { status: 'completed', progress: 100, finished_at: new Date().toISOString() })
  await stream.done(DONE) // gives up
  await live.producer.announce(live.project.state(), live.project.revisions)
  live.server.resume()
  const isEnd = (m: { type: string; status?: string }) => m.type === 'project_update' && m.status === 'completed'
  await until(() => client.messages.some(isEnd), { timeoutMs: 30_000, what: 'the end' })
  const told = client.messages.filter((m) => m.type === 'done' || isEnd(m)).map((m) => m.type)
  assert.deepEqual(told, ['done', 'project_update'])
  assert.equal(client.done.write, 'all of it')
})

test('whoever joins between a stage’s end and its announcement hears the end', async (t) => {
  const live = await openLive(t, { stages: ['write'] })
  const stream = await startStage(live, 'write')
  stream.text('all of it')
  await stream.done(DONE)
  const { client } = await view(live.hub)
  await until(() => client.done.write === 'all of it', { timeoutMs: 20_000, what: 'the end' })
  await completeStage(live, 'write', 'all of it')
  const isEnd = (m: { type: string; status?: string }) => m.type === 'project_update' && m.status === 'completed'
  await until(() => client.messages.some(isEnd), { timeoutMs: 20_000, what: 'the end of the project' })
  assert.equal(client.of('done').length, 1)
})

test('Redis away: the disk answers at once, and the stream goes live when Redis is back', async (t) => {
  const live = await openLive(t)
  live.project.change('write', { status: 'completed', progress: 100, duration_ms: 812, model: 'm', finished_at: T0 })
  live.project.texts.write = 'from the disk'
  live.project.change('draw', { status: 'running' })
  await live.server.end()
  const watch = startWatch()
  const { client } = await view(live.hub, { v: 1 })
  watch.assertBelow(1_500)
  assert.deepEqual(typesOf(client), ['connected', 'token', 'done', 'stage_update', 'project_update'])
  assert.deepEqual(client.messages[0].stages, { write: 'completed', draw: 'running' })
  assert.equal(client.done.write, 'from the disk')
  assert.deepEqual(client.of('done')[0].metadata, { latency_ms: 812, tokens_used: 0, model: 'm' })
  await live.server.restart()
  await until(() => client.of('connected').length > 1, { timeoutMs: 10_000, what: 'Redis to be seen' })
  const stream = await startStage(live, 'draw')
  stream.text('live')
  await sees(client, 'draw', 'live')
  assert.equal(client.texts.write, 'from the disk')
  assert.deepEqual(client.faults, [])
})

test('a finished project is the same from Redis and from the disk, and its end is recognised', async (t) => {
  const live = await openLive(t)
  const { client: watching } = await view(live.hub)
  for (const stage of ['write', 'draw']) {
    const stream = await startStage(live, stage)
    stream.text(`text of ${stage}`)
    await stream.done(DONE)
    await completeStage(live, stage, `text of ${stage}`)
  }
  await until(() => watching.of('project_update').some((m) => m.status === 'completed'), { timeoutMs: 5_000 })
  const shapes = (client: TestClient) => client.messages.map(({ seq, epoch, timestamp, metadata, ...rest }) => rest)
  const { client: redis } = await view(live.hub, { endWithProject: true })
  await until(() => redis.ended, { timeoutMs: 10_000 })
  assert.equal(await live.hub.isAtEnd('p', redis.cursor), true)
  assert.equal(await live.hub.isAtEnd('p', watching.cursor), true)
  assert.equal(await live.hub.isAtEnd('p', undefined), false)
  await live.redis.flushall()
  const later = openHub(t, live, live.project)
  const { client: disk } = await view(later, { endWithProject: true })
  assert.ok(disk.ended)
  assert.deepEqual(shapes(disk), shapes(redis))
  assert.equal(await later.isAtEnd('p', disk.cursor), true)
  assert.equal(await later.isAtEnd('p', redis.cursor), false)
  const { client: again } = await view(later, { since: disk.cursor })
  assert.deepEqual(
    again.messages.map((m) => [m.type, m.recovered]),
    [['connected', true]],
  )
  const stream = await startStage(live, 'draw')
  stream.text('drawn anew')
  await sees(again, 'draw', 'drawn anew')
  assert.equal(await later.isAtEnd('p', disk.cursor), false)
})

test('what a dying worker did not announce is announced, and an end that never came is made up for', async (t) => {
  const live = await openLive(t)
  const { client } = await view(live.hub)
  const stream = await startStage(live, 'write')
  stream.text('only a part')
  await sees(client, 'write', 'only a part')
  live.project.texts.write = 'only a part of it all'
  live.project.change('write', { status: 'completed', progress: 100, finished_at: new Date().toISOString() })
  await until(() => client.statuses.write === 'completed', { timeoutMs: 20_000, what: 'the announcement' })
  await until(() => client.done.write !== undefined, { timeoutMs: 20_000, what: 'its end' })
  assert.equal(client.texts.write, 'only a part of it all')
  assert.equal(client.of('done').length, 1)
  assert.deepEqual(client.faults, [])
})
