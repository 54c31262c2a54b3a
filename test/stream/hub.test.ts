/** The hub on a real Redis: joining late, resuming, reading slowly, and Redis going away under everyone. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { createHub, type Hub, type JoinOptions } from '../../src/stream/hub.ts'
import { createClient, type TestClient } from './client.ts'
import { createProject, type FakeProject, sourceOf } from './project.ts'
import { AOF, type Bench, openBench } from './redis.ts'

const DONE = { latency_ms: 5, tokens_used: 7, model: 'm' }
const T0 = new Date().toISOString()

async function openLive(t: TestContext, { stages = ['write', 'draw'], args = [] as string[] } = {}) {
  const bench = await openBench(t, args)
  const project = createProject('p', stages)
  const hub = openHub(t, bench, project)
  return { ...bench, project, hub }
}

function openHub(t: TestContext, { place, keys }: Bench, ...projects: FakeProject[]): Hub {
  const hub = createHub({ place, keys, source: sourceOf(...projects), log: silentLog })
  t.after(() => hub.close())
  return hub
}

type Live = Awaited<ReturnType<typeof openLive>>

/** What a worker does: claims, announces, and streams. */
async function startStage({ project, producer }: Pick<Live, 'project' | 'producer'>, stage: string) {
  const claimRevision = project.change(stage, { status: 'running', started_at: T0 })
  const stream = await producer.open({ projectId: project.id, stage, fence: `f${claimRevision}`, claimRevision })
  await producer.announce(project.state(), project.revisions)
  return stream
}

async function completeStage({ project, producer }: Pick<Live, 'project' | 'producer'>, stage: string, text: string) {
  project.texts[stage] = text
  project.change(stage, { status: 'completed', progress: 100, finished_at: new Date().toISOString() })
  await producer.announce(project.state(), project.revisions)
}

async function view(hub: Hub, options: Partial<JoinOptions> = {}, client = createClient()) {
  const viewer = await hub.join('p', { v: 2, ...options, sink: client.connect() })
  return { client, viewer }
}

const sees = (client: TestClient, stage: string, text: string) =>
  until(() => client.texts[stage] === text, { timeoutMs: 10_000, what: `the text of ${stage}` })

const typesOf = (client: TestClient) => client.messages.map((m) => m.type)

test('5,000 tokens before anyone joins: the text is exact after the first frames, in both versions', async (t) => {
  const live = await openLive(t)
  const stream = await startStage(live, 'write')
  let text = ''
  for (let i = 0; i < 5_000; i++) {
    text += `tok${i} `
    stream.text(`tok${i} `)
    if (i % 500 === 0) await new Promise(setImmediate)
  }
  await until(async () => (await live.redis.get(live.keys.key('text', 'p', 'write'))) === text, { timeoutMs: 5_000 })
  for (const v of [1, 2] as const) {
    const { client } = await view(live.hub, { v })
    assert.equal(client.texts.write, text)
    assert.deepEqual(typesOf(client), ['connected', 'token', 'stage_update', 'project_update'])
    const [connected, token, update, project] = client.messages
    const head = project.seq
    assert.deepEqual(connected, {
      type: 'connected',
      channel: 'progress:p',
      project_id: 'p',
      epoch: connected.epoch,
      recovered: false,
      stages: { write: 'running', draw: 'pending' },
      seq: 0,
    })
    assert.match(connected.epoch, /^[a-z0-9]+$/)
    assert.deepEqual([token.snapshot, token.offset, token.full_text], [true, 0, v === 1 ? text : undefined])
    assert.equal(update.status, 'processing')
    assert.ok(head > 1)
    assert.equal(client.cursor, `${connected.epoch}-${head}`)
    stream.text('!')
    text += '!'
    await sees(client, 'write', text)
    assert.equal(client.of('token').at(-1).full_text, v === 1 ? text : undefined)
    assert.deepEqual(client.faults, [])
  }
})

test('every kind of message has the contract’s shape, and a viewer of one stage gets only that stage', async (t) => {
  const live = await openLive(t)
  const { client } = await view(live.hub)
  const { client: one } = await view(live.hub, { stage: 'draw' })
  assert.equal(one.messages[0].channel, 'ai_story:project:p:stage:draw')
  assert.deepEqual(one.messages[0].stages, { draw: 'pending' })
  const write = await startStage(live, 'write')
  write.text('hello')
  await sees(client, 'write', 'hello')
  write.progress({ progress: 45, message: 'half' })
  await write.error({ error: '429', retry_count: 2, will_retry: true })
  await completeStage(live, 'write', 'hello')
  const draw = await startStage(live, 'draw')
  draw.progress({ current: 3, total: 10, progress: 30, item_name: 'shot-3' })
  await draw.done(DONE)
  await completeStage(live, 'draw', '')
  await until(() => client.of('project_update').some((m) => m.status === 'completed'), { timeoutMs: 5_000 })
  const strip = ({ seq, timestamp, project_id, ...own }: any) => {
    assert.equal(project_id, 'p')
    return own
  }
  const write2 = client.messages
    .slice(1)
    .filter((m) => m.stage === 'write')
    .map(strip)
  assert.deepEqual(
    write2.filter((m) => m.type !== 'done'),
    [
      { type: 'stage_update', stage: 'write', status: 'processing', progress: 0 },
      { type: 'token', content: 'hello', offset: 0, stage: 'write' },
      { type: 'stage_update', stage: 'write', status: 'processing', progress: 45, message: 'half' },
      { type: 'error', stage: 'write', error: '429', retry_count: 2, will_retry: true },
      { type: 'stage_update', stage: 'write', status: 'completed', progress: 100 },
    ],
  )
  const drawn = [
    { type: 'stage_update', stage: 'draw', status: 'processing', progress: 0 },
    { type: 'progress', stage: 'draw', current: 3, total: 10, progress: 30, item_name: 'shot-3' },
    { type: 'done', stage: 'draw', full_text: '', metadata: DONE },
    { type: 'stage_update', stage: 'draw', status: 'completed', progress: 100 },
  ]
  assert.deepEqual(client.messages.filter((m) => m.stage === 'draw').map(strip), drawn)
  assert.deepEqual(one.messages.slice(1).map(strip), drawn)
  const seqs = client.messages
    .slice(1)
    .filter((m) => m.type !== 'done')
    .map((m) => m.seq)
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  )
})

test('a client resumes where it was; what cannot be continued says so and begins with a snapshot', async (t) => {
  const live = await openLive(t)
  const stream = await startStage(live, 'write')
  stream.text('one ')
  const { client, viewer } = await view(live.hub)
  await sees(client, 'write', 'one ')
  const cursor = viewer.cursor
  viewer.leave()
  stream.text('two ')
  await until(() => live.redis.get(live.keys.key('text', 'p', 'write')).then((x) => x === 'one two '), {
    timeoutMs: 5_000,
  })
  await view(live.hub, { since: cursor }, client)
  await sees(client, 'write', 'one two ')
  assert.equal(client.of('connected').at(-1).recovered, true)
  assert.equal(client.of('token').filter((m) => m.snapshot).length, 1, 'no second snapshot')
  const other = openHub(t, live, live.project)
  const { client: far } = await view(other, { since: cursor })
  assert.equal(far.messages[0].recovered, true, 'another process, from Redis')
  await until(() => far.of('token').length > 0, { timeoutMs: 5_000 })
  assert.deepEqual([far.of('token')[0].content, far.of('token')[0].offset], ['two ', 4])
  const epoch = cursor.split('-')[0]
  for (const since of ['nonsense', 'r0-3', `${epoch}-0`, `${epoch}-9999`, `${epoch}-../1`]) {
    const { client: lost } = await view(live.hub, { since })
    assert.equal(lost.messages[0].recovered, false, since)
    assert.equal(lost.texts.write, 'one two ')
  }
  await live.redis.xtrim(live.keys.key('events', 'p'), 'MAXLEN', 1)
  const { client: trimmed } = await view(openHub(t, live, live.project), { since: cursor })
  assert.equal(trimmed.messages[0].recovered, false)
  assert.equal(trimmed.texts.write, 'one two ')
  assert.deepEqual(live.hub.stats().resumes, { recovered: 1, snapshot: 5, fresh: 1 })
})

test('a viewer that does not read gets one merged frame later, and every ending', async (t) => {
  const live = await openLive(t)
  const stream = await startStage(live, 'write')
  for (const v of [1, 2] as const) {
    const slow = createClient()
    await view(live.hub, { v }, slow)
    const { client: fast } = await view(live.hub, { v })
    const before = slow.messages.length
    slow.full = true
    const start = stream.fullText()
    let text = start
    for (let i = 0; i < 8; i++) {
      stream.text(`part ${v} ${i} `)
      text += `part ${v} ${i} `
      stream.progress({ current: i, total: 8, progress: i })
      await sees(fast, 'write', text)
    }
    await until(() => fast.of('progress').some((m) => m.current === 7), { timeoutMs: 5_000 })
    await live.stream.event(
      { projectId: 'p', stage: 'write', fence: 'f2', acked: { epoch: '', seq: 0 } },
      {
        kind: 'error',
        fields: { error: 'x', retry_count: 1, will_retry: true },
        nonce: 1_000 * v,
        percent: 0,
        message: null,
      },
    )
    await until(() => fast.of('error').length > 0, { timeoutMs: 5_000 })
    assert.equal(slow.messages.length, before)
    slow.resume()
    assert.deepEqual(
      slow.messages
        .slice(before)
        .map((m) => m.type)
        .sort(),
      ['error', 'progress', 'token'],
    )
    assert.equal(slow.texts.write, text)
    assert.deepEqual(slow.faults, [])
    await sees(slow, 'write', text)
  }
  assert.ok(live.hub.stats().conflations >= 2)
})

test('a restarted stage: restarted, an empty snapshot, then only the new text', async (t) => {
  const live = await openLive(t)
  const { client } = await view(live.hub, { v: 1 })
  const first = await startStage(live, 'write')
  first.text('half a sen')
  await sees(client, 'write', 'half a sen')
  const second = await startStage(live, 'write')
  first.text('tence by a zombie')
  second.text('Whole.')
  await until(() => first.fenced.aborted, { timeoutMs: 5_000 })
  await sees(client, 'write', 'Whole.')
  const kinds = client.messages
    .filter((m) => m.stage === 'write')
    .map((m) => m.status ?? (m.snapshot ? 'snapshot' : m.type))
  assert.deepEqual(kinds.slice(kinds.indexOf('restarted'), kinds.indexOf('restarted') + 2), ['restarted', 'snapshot'])
  assert.equal(
    client
      .of('token')
      .find((m) => m.snapshot)
      .content.startsWith('tence'),
    false,
  )
  assert.deepEqual(client.faults, [])
})

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
    await live.redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    stream.text(word)
    await sees(client, 'write', stream.fullText())
  }
  live.server.pause()
  stream.text('three')
  await new Promise<void>((resolve) => setTimeout(resolve, 2_500)) // longer than a command may take: the fault itself
  live.server.resume()
  await sees(client, 'write', 'one two three')
  assert.deepEqual(client.faults, [])
})

test('Redis away: the disk answers at once, and the stream goes live when Redis is back', async (t) => {
  const live = await openLive(t)
  live.project.change('write', { status: 'completed', progress: 100, duration_ms: 812, model: 'm', finished_at: T0 })
  live.project.texts.write = 'from the disk'
  live.project.change('draw', { status: 'running' })
  await live.server.end()
  const startedMs = performance.now()
  const { client } = await view(live.hub, { v: 1 })
  assert.ok(performance.now() - startedMs < 1_500)
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
  await until(() => redis.ended, { timeoutMs: 1_000 })
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
  await until(() => client.statuses.write === 'completed', { timeoutMs: 6_000, what: 'the announcement' })
  await until(() => client.done.write !== undefined, { timeoutMs: 10_000, what: 'its end' })
  assert.equal(client.texts.write, 'only a part of it all')
  assert.equal(client.of('done').length, 1)
  assert.deepEqual(client.faults, [])
})

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
  let { next } = await ask(second.next, 0)
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

test('one blocking reader and two connections, however many projects and viewers', async (t) => {
  const bench = await openBench(t)
  const projects = Array.from({ length: 30 }, (_, i) => createProject(`p${i}`, ['write']))
  const before = await connections(bench)
  const hub = openHub(t, bench, ...projects)
  const clients = await Promise.all(
    projects.flatMap(({ id }) =>
      Array.from({ length: 10 }, async () => {
        const client = createClient()
        await hub.join(id, { v: 2, sink: client.connect() })
        return client
      }),
    ),
  )
  const streams = await Promise.all(
    projects.map((project) => startStage({ project, producer: bench.producer }, 'write')),
  )
  for (const stream of streams) stream.text('hello')
  for (const client of clients) await sees(client, 'write', 'hello')
  assert.equal((await connections(bench)) - before, 2)
  assert.deepEqual([hub.stats().viewers, hub.stats().projects], [300, 30])
  await assert.rejects(hub.join('unknown', { v: 2, sink: createClient().connect() }), { code: 'not_found' })
  await hub.close()
  assert.ok(clients.every((client) => client.ended))
  await until(async () => (await connections(bench)) === before, { timeoutMs: 5_000 })
})

async function connections({ redis }: Bench): Promise<number> {
  return Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))![1])
}
