/** The hub on a real Redis: joining late, resuming, reading slowly, and how little it costs Redis. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createClient } from './client.ts'
import { completeStage, DONE, openHub, openLive, sees, startStage, typesOf, view } from './live.ts'
import { createProject } from './project.ts'
import { type Bench, openBench } from './redis.ts'

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
  stream.text('three')
  await sees(client, 'write', 'one two three')
  await live.redis.xtrim(live.keys.key('events', 'p'), 'MAXLEN', 1)
  const { client: trimmed } = await view(openHub(t, live, live.project), { since: cursor })
  assert.equal(trimmed.messages[0].recovered, false)
  assert.equal(trimmed.texts.write, 'one two three')
  assert.deepEqual(live.hub.stats().resumes, { recovered: 1, snapshot: 5, fresh: 1 })
})

for (const v of [1, 2] as const)
  test(`a viewer that does not read gets one merged frame later, and every ending (v=${v})`, async (t) => {
    const live = await openLive(t)
    const stream = await startStage(live, 'write')
    const { client: slow } = await view(live.hub, { v })
    const { client: fast } = await view(live.hub, { v })
    await until(() => slow.statuses.write === 'processing', { timeoutMs: 5_000 })
    const before = slow.messages.length
    slow.full = true
    for (let current = 0; current < 8; current++) {
      stream.text(`part ${current} `)
      stream.progress({ current, total: 8, progress: current })
      await sees(fast, 'write', stream.fullText())
    }
    await until(() => fast.of('progress').some((m) => m.current === 7), { timeoutMs: 5_000 })
    assert.ok(fast.of('progress').length > 1 && fast.of('token').length > 2)
    await stream.error({ error: '429', retry_count: 1, will_retry: true })
    await until(() => fast.of('error').length > 0, { timeoutMs: 5_000 })
    assert.equal(slow.messages.length, before)
    slow.resume()
    const late = slow.messages.slice(before)
    assert.deepEqual(
      late.map((m) => m.type),
      ['token', 'progress', 'error'],
    )
    assert.deepEqual(slow.texts, fast.texts)
    assert.deepEqual([slow.faults, fast.faults], [[], []])
    assert.equal(live.hub.stats().conflations, 1)
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
