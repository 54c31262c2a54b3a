import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyRecord } from '../../src/project/fold.ts'
import { emptyFold, type Folded } from '../../src/project/folded.ts'
import type { ClaimOwner, JournalRecord, RecordBody } from '../../src/project/records.ts'

const OWNER: ClaimOwner = { run: 'r', pid: 1, started: '1', worker: 'io-1', token: 't' }
const CREDIT = { provider: 'builtin', model: null, degraded: [], usage: { input_tokens: 0, output_tokens: 0, cost_usd: null } }
const STAGES = ['a', 'b', 'c'].map((name) => ({ name, queue: 'llm' }))
const CREATED: RecordBody = {
  type: 'created',
  id: 'p',
  pipeline: 'x',
  title: 't',
  owner: 'operator',
  batch_id: null,
  input: { value: {} },
  stages: STAGES,
  autostart: true,
}

function fold(bodies: RecordBody[], from: Folded = emptyFold()): Folded {
  return bodies.reduce(
    (folded, body, i) => applyRecord(folded, { at: new Date(i * 1_000).toISOString(), ...body } as JournalRecord),
    from,
  )
}

const queued = (stage: string, n: number): RecordBody => ({ type: 'queued', stage, task_id: `p-${n}`, then: 'continue' })
const claim = (stage: string, n: number, fence: string, supersedes: string | null = null): RecordBody => ({
  type: 'claim',
  stage,
  task_id: `p-${n}`,
  fence,
  supersedes,
  owner: OWNER,
})
const completed = (stage: string, fence: string): RecordBody => ({ type: 'completed', stage, fence, result: { value: fence }, credit: CREDIT })
const failed = (stage: string, fence: string, retry_at: string | null): RecordBody => ({
  type: 'failed',
  stage,
  fence,
  error: { code: 'stage_failed', message: 'no' },
  retry_at,
})
const statuses = (folded: Folded) => folded.state.stages.map((s) => s.status)

test('a project runs through its stages', () => {
  const done = (['a', 'b', 'c'] as const).flatMap((s, i) => [queued(s, i + 1), claim(s, i + 1, `f${s}`), completed(s, `f${s}`)])
  const folded = fold([CREATED, ...done])
  assert.equal(folded.state.status, 'completed')
  assert.equal(folded.state.progress, 100)
  assert.equal(folded.state.revision, 10)
  assert.deepEqual(folded.state.stages.map((s) => s.result), ['fa', 'fb', 'fc'])
})

test('only the first of two claims on the same fence counts, and records of the other are ignored', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'one'), claim('a', 1, 'two')])
  assert.equal(folded.internals.a!.fence, 'one')
  assert.equal(folded.state.stages[0]!.attempts, 1)
  const after = fold([completed('a', 'two')], folded)
  assert.equal(after.state.stages[0]!.status, 'running')
  assert.equal(after.state.revision, 5, 'an ignored record still has its place')
})

test('a takeover names the claim that it ends, and ends it', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'one'), claim('a', 1, 'two', 'one')])
  assert.equal(folded.internals.a!.fence, 'two')
  assert.equal(folded.state.stages[0]!.attempts, 2)
  const zombie = fold(
    [
      { type: 'artifact', stage: 'a', fence: 'one', name: 'x', file: 'x', mime: 'm', bytes: 1, sha256: 's' },
      { type: 'step', stage: 'a', fence: 'one', name: 's', key: 'k', result: { value: 1 }, files: [] },
      { type: 'progress', stage: 'a', fence: 'one', progress: 99, message: null },
      failed('a', 'one', null),
      { type: 'released', stage: 'a', fence: 'one', reason: 'interrupted' },
      completed('a', 'one'),
    ],
    folded,
  )
  assert.deepEqual({ ...zombie.state, revision: 0 }, { ...folded.state, revision: 0 })
})

test('a claim for another task than the one that stands is refused', () => {
  const folded = fold([CREATED, queued('a', 1), { type: 'cancelled' }, { type: 'reopened' }, queued('a', 2), claim('a', 1, 'old')])
  assert.equal(folded.state.stages[0]!.status, 'queued')
  assert.equal(folded.state.stages[0]!.task_id, 'p-2')
})

test('cancel revokes what runs and keeps what is done', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'fa'), completed('a', 'fa'), queued('b', 2), claim('b', 2, 'fb'), { type: 'cancelled' }])
  assert.deepEqual(statuses(folded), ['completed', 'cancelled', 'pending'])
  assert.equal(folded.state.status, 'cancelled')
  assert.equal(fold([completed('b', 'fb')], folded).state.stages[1]!.status, 'cancelled')
})

test('cancel of a project that never began is remembered', () => {
  assert.equal(fold([CREATED, { type: 'cancelled' }]).state.status, 'cancelled')
})

test('an error with a due time waits in the queue, without one it fails; resume gives new tries', () => {
  const running = fold([CREATED, queued('a', 1), claim('a', 1, 'one')])
  const waiting = fold([failed('a', 'one', '2026-01-01T00:00:02.000Z')], running)
  assert.deepEqual([waiting.state.stages[0]!.status, waiting.state.stages[0]!.retries], ['queued', 1])
  assert.equal(waiting.state.stages[0]!.retry_at, '2026-01-01T00:00:02.000Z')
  const again = fold([claim('a', 1, 'two', 'one')], waiting)
  assert.deepEqual([again.state.stages[0]!.attempts, again.state.stages[0]!.retry_at], [2, null])
  const dead = fold([failed('a', 'two', null)], again)
  assert.deepEqual([dead.state.status, dead.state.error?.message], ['failed', 'no'])
  const reopened = fold([{ type: 'reopened' }], dead)
  assert.deepEqual([reopened.state.status, reopened.state.stages[0]!.retries], ['pending', 0])
})

test('rerun of one stage keeps the later ones as stale; with the following ones they run again', () => {
  const done = fold([CREATED, ...['a', 'b', 'c'].flatMap((s, i) => [queued(s, i + 1), claim(s, i + 1, `f${s}`), completed(s, `f${s}`)])])
  const one = fold([{ type: 'rerun', stage: 'b', and_following: false }], done)
  assert.deepEqual(statuses(one), ['completed', 'pending', 'completed'])
  assert.deepEqual(one.state.stages.map((s) => s.stale), [false, false, true])
  assert.equal(one.internals.b!.take, 1)
  const all = fold([{ type: 'rerun', stage: 'b', and_following: true }], done)
  assert.deepEqual(statuses(all), ['completed', 'pending', 'pending'])
  assert.equal(all.internals.c!.take, 0, 'a following stage keeps its remembered steps')
})

test('a damaged stage steps back together with what was on its way behind it', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'fa'), completed('a', 'fa'), queued('b', 2), claim('b', 2, 'fb')])
  const back = fold([{ type: 'demoted', stage: 'a', missing: ['x'] }], folded)
  assert.deepEqual(statuses(back), ['pending', 'pending', 'pending'])
  assert.equal(fold([completed('b', 'fb')], back).state.stages[1]!.status, 'pending')
})

test('a lost journal begins anew from the state file, without its claims', () => {
  const running = fold([CREATED, queued('a', 1), claim('a', 1, 'fa'), completed('a', 'fa'), queued('b', 2), claim('b', 2, 'fb')])
  const anew = fold([{ type: 'recovered', state: running.state }])
  assert.deepEqual(statuses(anew), ['completed', 'pending', 'pending'])
  assert.equal(anew.continues, true)
  assert.equal(fold([queued('b', 2)], anew).state.stages[1]!.status, 'pending', 'a task id is used once')
  assert.equal(fold([queued('b', 3)], anew).state.stages[1]!.status, 'queued')
})

test('nothing counts before the beginning, and there is one beginning', () => {
  assert.equal(fold([queued('a', 1), { type: 'cancelled' }]).state.id, '')
  const twice = fold([CREATED, { ...CREATED, title: 'other' } as RecordBody])
  assert.equal(twice.state.title, 't')
})

test('200 random histories: one fence at most, progress never 100 before the end, no status outside the contract', () => {
  for (let seed = 1; seed <= 200; seed++) checkHistory(seed)
})

function checkHistory(seed: number): void {
  const random = createRandom(seed)
  let folded = fold([CREATED])
  let n = 0
  for (let i = 0; i < 60; i++) {
    const stage = ['a', 'b', 'c'][Math.floor(random() * 3)]!
    const state = folded.state.stages.find((s) => s.name === stage)!
    const fence = random() < 0.7 ? (folded.internals[stage]!.fence ?? 'none') : `stray${i}`
    const task = Number(state.task_id?.split('-')[1] ?? 0)
    const options: RecordBody[] = [
      queued(stage, ++n),
      claim(stage, random() < 0.8 ? task : task + 1, `f${i}`, random() < 0.8 ? folded.internals[stage]!.fence : 'stray'),
      completed(stage, fence),
      failed(stage, fence, random() < 0.5 ? '2026-01-01T00:00:00.000Z' : null),
      { type: 'released', stage, fence, reason: 'interrupted' },
      { type: 'progress', stage, fence, progress: 50, message: null },
      { type: 'cancelled' },
      { type: 'reopened' },
      { type: 'rerun', stage, and_following: random() < 0.5 },
      { type: 'demoted', stage, missing: [] },
    ]
    const before = folded
    const record = options[Math.floor(random() * options.length)]!
    folded = fold([record], folded)
    checkInvariants(before, folded, record, `seed ${seed}, record ${i}: ${record.type}`)
  }
}

function checkInvariants(before: Folded, after: Folded, record: RecordBody, where: string): void {
  assert.equal(after.state.revision, before.state.revision + 1, where)
  for (const stage of after.state.stages) {
    const { fence } = after.internals[stage.name]!
    if (stage.status === 'running') assert.ok(fence, `${where}: ${stage.name} runs without a claim`)
    const was = before.state.stages.find((s) => s.name === stage.name)!
    const isOwn = 'fence' in record && record.fence === before.internals[stage.name]!.fence
    if (stage.status === 'completed' && was.status !== 'completed') assert.ok(isOwn, `${where}: completed by a stranger`)
  }
  const done = after.state.stages.every((s) => s.status === 'completed')
  assert.equal(after.state.progress === 100, done, where)
  assert.equal(after.state.status === 'completed', done, where)
}

/** Mulberry32: small, seeded, good enough to shuffle with. */
function createRandom(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
