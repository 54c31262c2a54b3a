/** The producer and its script on a real Redis: exact text, fences, loss, and what direct subscribers hear. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import type { Acked } from '../../src/stream/redis-stream.ts'
import { AOF, type Bench, entriesOf, listen, openBench, untilText } from './redis.ts'

const DONE = { latency_ms: 5, tokens_used: 7, model: 'm' }
const about = (claimRevision = 3, fence = 'f1') => ({ projectId: 'p', stage: 'write', claimRevision, fence })
const metaOf = ({ redis, keys }: Bench) => redis.hgetall(keys.key('live', 'p'))

test('the first token goes at once, the others in pieces, and no pair of surrogates is cut', async (t) => {
  const bench = await openBench(t)
  const stream = await bench.producer.open(about())
  stream.text('A')
  for (const unit of '😀漢字🎬'.repeat(300)) for (const half of unit.split('')) stream.text(half)
  await stream.done(DONE)
  const whole = `A${'😀漢字🎬'.repeat(300)}`
  assert.equal(stream.fullText(), whole)
  await untilText(bench, 'p', whole)
  const entries = await entriesOf(bench, 'p')
  assert.deepEqual(
    entries.map((e) => e.seq),
    entries.map((_, i) => i + 1),
  )
  assert.equal(entries[0]!.payload, 'A')
  assert.ok(entries.length >= 3 && entries.length < 12, `${entries.length} entries`)
  assert.deepEqual(entries.at(-1)!.payload, JSON.stringify({ metadata: DONE }))
  let length = 0
  for (const { kind, offset, payload } of entries)
    if (kind === 'token') {
      assert.equal(Number(offset), length)
      assert.doesNotMatch(payload!, /\ufffd/)
      length += payload!.length
    }
  assert.equal(length, whole.length)
})

test('a newer claim fences the older one, whose text is replaced', async (t) => {
  const bench = await openBench(t)
  const old = await bench.producer.open(about(3, 'old'))
  old.text('half a sen')
  await untilText(bench, 'p', 'half a sen')
  const fresh = await bench.producer.open(about(5, 'new'))
  fresh.text('Whole.')
  await untilText(bench, 'p', 'Whole.')
  old.text('tence')
  await until(() => old.fenced.aborted, { timeoutMs: 5_000 })
  assert.equal((await bench.producer.open(about(3, 'old'))).fenced.aborted, true)
  assert.equal((await bench.producer.open(about(5, 'other'))).fenced.aborted, true)
  await fresh.done(DONE)
  const kinds = (await entriesOf(bench, 'p')).map((e) => [e.kind, e.payload])
  assert.deepEqual(kinds.slice(0, 4), [
    ['token', 'half a sen'],
    ['update', '{"status":"restarted"}'],
    ['snapshot', ''],
    ['token', 'Whole.'],
  ])
  assert.equal(await bench.redis.get(bench.keys.key('text', 'p', 'write')), 'Whole.')
})

test('what is sent twice counts once, and what Redis has forgotten is noticed', async (t) => {
  const { stream, redis, ...rest } = await openBench(t)
  const bench = { stream, redis, ...rest }
  const begun = await stream.begin(about())
  const fenced = (acked: Acked) => ({ ...about(), acked })
  const one = await stream.token(fenced(begun), 0, 'one')
  assert.deepEqual(await stream.token(fenced(begun), 0, 'one'), one)
  assert.equal((await stream.token(fenced(one), 7, 'late')).result, 'lost')
  assert.equal((await stream.token(fenced({ ...one, seq: one.seq + 1 }), 3, 'two')).result, 'lost')
  assert.equal((await stream.token(fenced({ epoch: 'other', seq: 99 }), 3, 'two')).result, 'ok')
  const resent = await stream.resend(about(), one.epoch, 'one two')
  assert.notEqual(resent.epoch, one.epoch)
  assert.deepEqual([resent.result, resent.seq], ['ok', 1])
  const again = await stream.resend(about(), one.epoch, 'one two three')
  assert.equal(again.epoch, resent.epoch, 'a second stage that lost its text does not break the new epoch')
  assert.equal(again.seq, 2)
  const event = { kind: 'error' as const, fields: { error: 'x' }, nonce: 1, percent: 0, message: null }
  const told = await stream.event(fenced(again), event)
  assert.deepEqual(await stream.event(fenced(again), event), told)
  assert.deepEqual(
    (await entriesOf(bench, 'p')).map((e) => e.kind),
    ['snapshot', 'snapshot', 'error'],
  )
  await redis.flushall()
  assert.equal((await stream.token(fenced(told), 13, 'x')).result, 'lost')
})

test('a zombie that is first after Redis has forgotten everything does not keep the winner out', async (t) => {
  const { stream, ...rest } = await openBench(t)
  const bench = { stream, ...rest }
  const [old, fresh] = [about(3, 'old'), about(5, 'new')]
  const acked = await stream.begin(fresh)
  await bench.redis.flushall()
  const zombie = await stream.resend(old, acked.epoch, 'of the zombie')
  assert.equal(zombie.result, 'ok')
  assert.equal((await stream.token({ ...fresh, acked }, 0, 'true')).result, 'lost')
  assert.equal((await stream.resend(fresh, acked.epoch, 'true')).result, 'ok')
  assert.equal((await stream.token({ ...old, acked: zombie }, 13, '!')).result, 'fenced')
  assert.equal((await stream.resend(old, acked.epoch, 'of the zombie')).result, 'fenced')
  assert.equal(await bench.redis.get(bench.keys.key('text', 'p', 'write')), 'true')
})

test('an announcement counts once, a stale one never, and a cancelled stage is nobody’s', async (t) => {
  const { stream, ...rest } = await openBench(t)
  const bench = { stream, ...rest }
  const at = { projectId: 'p', stage: 'write' }
  const note = (revision: number, status: 'queued' | 'processing' | 'cancelled') =>
    stream.status(at, { revision, status, fields: { status }, percent: 0, message: null })
  await note(2, 'queued')
  await stream.begin(about(3))
  await note(3, 'processing')
  await note(3, 'processing')
  await note(2, 'queued')
  await note(4, 'cancelled')
  const { epoch, seq } = await stream.begin(about(3))
  assert.equal((await stream.token({ ...about(3), acked: { epoch, seq } }, 0, 'zombie')).result, 'fenced')
  assert.equal((await stream.resend(about(3), epoch, 'zombie')).result, 'fenced')
  assert.equal((await stream.begin(about(6, 'f2'))).result, 'ok')
  const entries = await entriesOf(bench, 'p')
  assert.deepEqual(
    entries.map((e) => JSON.parse(e.payload!).status),
    ['queued', 'processing', 'cancelled'],
  )
})

test('direct subscribers hear the contract’s messages, and nothing is published when nobody listens', async (t) => {
  const bench = await openBench(t)
  const { keys, server, producer, stream, redis } = bench
  const heard = await listen(t, server, keys.stageChannel('p', 'write'))
  const percents = await listen(t, server, keys.progressChannel('p'))
  const note = { revision: 1, ended: false, stages: ['write', 'draw'], fields: { status: 'running', progress: 0 } }
  await stream.project('p', { ...note, percent: 0, stage: 'write', message: null })
  const live = await producer.open(about())
  live.text('say "hi"/\n')
  await untilText(bench, 'p', 'say "hi"/\n')
  live.progress({ current: 1, total: 2, progress: 50, item_name: 'shot-1' })
  await until(() => heard.length === 2, { timeoutMs: 5_000 })
  live.progress({ progress: 80, message: 'nearly' })
  await live.done(DONE)
  await until(() => heard.length === 4 && percents.length === 3, { timeoutMs: 5_000 })
  const common = { stage: 'write', project_id: 'p' }
  for (const { timestamp } of heard) assert.ok(Math.abs(timestamp - Date.now() / 1000) < 60)
  assert.deepEqual(
    heard.map(({ timestamp, ...message }) => message),
    [
      { type: 'token', content: 'say "hi"/\n', offset: 0, seq: 2, ...common },
      { type: 'progress', current: 1, total: 2, progress: 50, item_name: 'shot-1', seq: 3, ...common },
      { type: 'stage_update', status: 'processing', progress: 80, message: 'nearly', seq: 4, ...common },
      { type: 'done', full_text: 'say "hi"/\n', metadata: DONE, seq: 5, ...common },
    ],
  )
  assert.deepEqual(
    percents.map(({ timestamp, ...rest }) => [rest, timestamp === new Date(timestamp).toISOString()]),
    [
      [{ project_id: 'p', stage: 'write', progress: 0, message: null }, true],
      [{ project_id: 'p', stage: 'write', progress: 25, message: 'shot-1' }, true],
      [{ project_id: 'p', stage: 'write', progress: 40, message: 'nearly' }, true],
    ],
  )
  const stats = async () => Number(/cmdstat_publish:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1])
  const before = await stats()
  const quiet = await producer.open({ ...about(), projectId: 'q' })
  quiet.text('nobody listens')
  await quiet.done(DONE)
  assert.equal(await stats(), before)
})

test('progress is told about ten times a second, the last value always', async (t) => {
  const bench = await openBench(t)
  const stream = await bench.producer.open(about())
  for (let current = 1; current <= 500; current++) stream.progress({ current, total: 500, progress: current / 5 })
  await until(async () => (await metaOf(bench))['prog:write']?.includes('"current":500'), { timeoutMs: 5_000 })
  const told = (await entriesOf(bench, 'p')).map((e) => JSON.parse(e.payload!).current)
  assert.ok(told.length <= 3, `${told}`)
})

test('text goes on through a FLUSHALL and a crash of Redis, and keys are kept for a day', async (t) => {
  const bench = await openBench(t, AOF)
  const stream = await bench.producer.open(about())
  let whole = ''
  const say = (text: string) => {
    whole += text
    stream.text(text)
  }
  for (let i = 0; i < 50; i++) say(`word ${i} `)
  await untilText(bench, 'p', whole)
  const first = (await metaOf(bench)).epoch
  await bench.redis.flushall()
  say('after the flush ')
  await untilText(bench, 'p', whole)
  const second = (await metaOf(bench)).epoch
  assert.notEqual(second, first)
  await bench.server.end()
  say('while it is away ')
  await assert.doesNotReject(stream.error({ error: '429', retry_count: 1, will_retry: true }))
  assert.equal(stream.fullText(), whole)
  assert.ok((await bench.redis.ttl(bench.keys.key('live', 'p')).catch(() => -1)) === -1)
})

test('a stage opens while Redis is away, and streams when it has come', async (t) => {
  const bench = await openBench(t)
  bench.server.pause()
  const stream = await bench.producer.open(about())
  stream.text('early ')
  bench.server.resume()
  await untilText(bench, 'p', 'early ')
  for (const key of ['live', 'events']) {
    const ttl = await bench.redis.ttl(bench.keys.key(key, 'p'))
    assert.ok(ttl > 86_000 && ttl <= 86_400, `${key}: ${ttl}`)
  }
  const ended = { revision: 9, ended: true, stages: ['write'], fields: { status: 'completed', progress: 100 } }
  await bench.stream.project('p', { ...ended, percent: 100, stage: 'write', message: null })
  for (const key of [
    ['live', 'p'],
    ['events', 'p'],
    ['text', 'p', 'write'],
  ])
    assert.ok((await bench.redis.ttl(bench.keys.key(...key))) <= 3_600)
})
