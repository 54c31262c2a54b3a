/** Live messages through the client over all transports: each once, in order, across cuts, to the end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import { createClient } from '../../src/client/client.ts'
import { createEventParser } from '../../src/client/event-parser.ts'
import { createKnownText } from '../../src/client/known-text.ts'
import { AppError, type ErrorCode } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import type { LiveMessage } from '../../src/stream/events.ts'
import { projectState } from '../api/deps.ts'
import { serve } from '../api/serve.ts'

const TRANSPORTS = ['sse', 'ws', 'poll'] as const
const token = (content: string, offset: number) => ({ type: 'token', stage: 'shout', content, offset }) as const
const ended = { type: 'project_update', status: 'completed', progress: 100 } as const
const metadata = { latency_ms: 1, tokens_used: 1, model: 'm' }

const hasCode = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code

async function live(changes: Parameters<typeof serve>[0] = {}, token?: string) {
  const running = await serve(changes)
  running.deps.states.set('p1', projectState({ status: 'running' }))
  return Object.assign(running, { client: createClient({ url: running.server.url, token }), hub: running.deps.hub })
}

async function collect<T>(from: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const one of from) into.push(one)
  return into
}

for (const transport of TRANSPORTS) {
  test(`${transport}: everything arrives once and in order, across cuts, until the project has ended`, async () => {
    await using running = await live()
    const seen: LiveMessage[] = []
    const all = collect(running.client.events('p1', { transport }), seen)
    await until(() => seen.length > 0, { timeoutMs: 5_000, what: 'the connection' })
    for (let i = 0; i < 10; i++) {
      running.hub.say('p1', token(`${i}`, i))
      await until(() => seen.some((m) => m.type === 'token' && m.offset === i), {
        timeoutMs: 5_000,
        what: `token ${i}`,
      })
      if (i % 4 === 3) for (const viewer of running.hub.viewers) viewer.sink.end()
    }
    running.hub.say('p1', ended)
    const text = (await all).map((m) => (m.type === 'token' ? m.content : '')).join('')
    assert.equal(text, '0123456789')
  })

  test(`${transport}: what cannot get better is thrown`, async () => {
    await using running = await live()
    await assert.rejects(collect(running.client.events('none', { transport })), hasCode('not_found'))
    await assert.rejects(collect(running.client.events('p1', { transport, stage: 'none' })), hasCode('not_found'))
  })

  test(`${transport}: an abort ends it with its reason, and the server forgets the viewer`, async () => {
    await using running = await live()
    const stop = new AbortController()
    const seen: LiveMessage[] = []
    const all = collect(running.client.events('p1', { transport, signal: stop.signal }), seen)
    await until(() => seen.length > 0, { timeoutMs: 5_000, what: 'the connection' })
    const reason = new Error('enough')
    stop.abort(reason)
    await assert.rejects(all, (error) => error === reason)
    await until(() => running.hub.viewers.size === 0, { timeoutMs: 3_000, what: 'the viewer to be forgotten' })
  })
}

test('a token lets in over a socket too', async () => {
  const auth = { operatorToken: 'boss', users: [], oneTime: createOneTimeLogins() }
  await using running = await live({ auth }, 'boss')
  running.hub.say('p1', token('a', 0), ended)
  const types = (await collect(running.client.events('p1', { transport: 'ws' }))).map((m) => m.type)
  assert.deepEqual(types, ['connected', 'token', 'project_update'])
})

test('the text of a stage grows, is replaced when it begins anew, and is whole at the end', async () => {
  await using running = await live()
  const restart = { type: 'stage_update', stage: 'shout', status: 'restarted' } as const
  const empty = { ...token('', 0), snapshot: true } as const
  const done = { type: 'done', stage: 'shout', full_text: 'good', metadata } as const
  running.hub.say('p1', token('ba', 0), token('d', 2), restart, empty, token('go', 0), done)
  assert.deepEqual(await collect(running.client.text('p1', 'shout')), ['ba', 'bad', '', 'go', 'good'])
})

test('a text that came to nothing is an error', async () => {
  await using running = await live()
  running.hub.say('p1', { type: 'error', stage: 'shout', error: 'no', retry_count: 3, will_retry: false })
  await assert.rejects(collect(running.client.text('p1', 'shout')), hasCode('stage_failed'))
})

test('progress comes without texts', async () => {
  await using running = await live()
  const progress = { type: 'progress', stage: 'shout', current: 1, total: 2, progress: 50 } as const
  running.hub.say('p1', token('a', 0), progress, ended)
  const types = (await collect(running.client.subscribeProgress('p1'))).map((m) => m.type)
  assert.deepEqual(types, ['progress', 'project_update'])
})

test('tasks can be started and looked at', async () => {
  await using running = await live()
  running.deps.states.set('p1', projectState())
  const { task_id } = await running.client.executeStage('p1', { stage_name: 'shout', input_data: {} })
  assert.equal((await running.client.taskStatus('p1', task_id)).state, 'PENDING')
})

test('waiting for the end hears of it at once', async () => {
  await using running = await live()
  const messages: LiveMessage[] = []
  const onMessage = (message: LiveMessage) => void messages.push(message)
  const waiting = running.client.waitFor('p1', { everyMs: 60_000, timeoutMs: 10_000, onMessage })
  await until(() => messages.length > 0, { timeoutMs: 5_000, what: 'the connection' })
  running.deps.states.set('p1', projectState({ revision: 9 }))
  running.hub.say('p1', ended)
  assert.equal((await waiting).status, 'completed')
})

test('what is known of a text is not taken again, and a gap is seen', () => {
  const known = createKnownText()
  const place = { seq: 1, project_id: 'p1', timestamp: 0 }
  const take = (content: string, offset: number) => known.take({ ...token(content, offset), ...place })
  assert.deepEqual(take('abc', 0), { ...token('abc', 0), ...place })
  assert.equal(take('bc', 1), undefined)
  assert.deepEqual(take('cde', 2), { ...token('de', 3), ...place })
  assert.equal(take('x', 9), 'gap')
  assert.deepEqual(known.take({ ...token('new', 0), snapshot: true, ...place })?.valueOf(), {
    ...token('new', 0),
    snapshot: true,
    ...place,
  })
  assert.deepEqual(take('er', 3), { ...token('er', 3), ...place })
})

test('events are read however they are cut', () => {
  const text = ': hi\nretry: 5\n\nid: e-1\ndata: {"a":1}\n\ndata:x\r\ndata: y\r\n\r\n'
  const parse = createEventParser()
  const events = [...text].flatMap((char) => parse(char))
  assert.deepEqual(events, [
    { data: '{"a":1}', id: 'e-1' },
    { data: 'x\ny', id: undefined },
  ])
})

test('a catch-up that was cut is asked for again, not gone on from', async () => {
  await using running = await live()
  const { join } = running.hub
  let cuts = 0
  running.hub.join = async (id, options) => {
    if (cuts++ > 0) return join(id, options)
    const first = { type: 'connected', channel: 'c', project_id: id, epoch: 'e1', recovered: false, stages: {} }
    for (const message of [first, { ...token('a', 0), snapshot: true }]) options.sink.write(JSON.stringify(message), '')
    options.sink.end()
    return { leave() {}, cursor: '' }
  }
  running.hub.say('p1', token('a', 0), token('b', 1), ended)
  await collect(running.client.events('p1', { transport: 'ws' }))
  assert.equal(running.hub.joins[0]?.since, undefined)
})
