import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsumerVerdict,
  judgeConsumers,
  type Look,
  NO_SUSPICIONS,
  type WorkerLook,
} from '../../src/launch/consumer-verdicts.ts'
import type { Backlog } from '../../src/queue/backlog.ts'

const WAITING: Backlog = { due: 3, active: 1, limit: 4, paused: false }
const IDLE_WORKER: WorkerLook = { name: 'io-1', pid: 10, isFresh: true, queues: { image: consumer() } }

function consumer({ started = 7, held = 1, slots = 4 } = {}) {
  return { started, held, slots }
}

function worker(change: Partial<WorkerLook> = {}): WorkerLook {
  return { ...IDLE_WORKER, ...change }
}

function lookOf(backlog: Partial<Backlog> | null = {}, workers: WorkerLook[] = [worker()]): Look {
  return { queues: backlog && { image: { ...WAITING, ...backlog } }, workers, moving: [] }
}

/** What is done and when, in seconds, when the looks of `at` come every five seconds. */
function judge(count: number, at: (n: number) => Look, everyMs = 5_000): (readonly [number, ConsumerVerdict])[] {
  let suspicions = NO_SUSPICIONS
  return Array.from({ length: count }, (_, n) => n).flatMap((n) => {
    const judged = judgeConsumers(suspicions, at(n), n * everyMs)
    suspicions = judged.suspicions
    return judged.verdicts.map((verdict) => [(n * everyMs) / 1_000, verdict] as const)
  })
}

const doings = (found: ReturnType<typeof judge>) => found.map(([s, v]) => `${s} ${v.do} ${v.name} ${v.queue}`)

test('a consumer that takes nothing for 15 s is refreshed, then its process is replaced, then ever more seldom', () => {
  const found = judge(60, () => lookOf())
  assert.deepEqual(doings(found), [
    '15 refresh io-1 image',
    '30 replace io-1 image',
    '60 refresh io-1 image',
    '120 replace io-1 image',
    '240 refresh io-1 image',
  ])
  assert.equal(found[0]![1].waitedMs, 15_000)
})

test('the pauses between two tries stay below eleven minutes', () => {
  const seconds = judge(3_000, () => lookOf()).map(([s]) => s)
  const pauses = seconds.slice(1).map((s, i) => s - seconds[i]!)
  assert.ok(seconds.length > 20)
  assert.ok(Math.max(...pauses) <= 605, `the longest was ${Math.max(...pauses)} s`)
})

const ABOVE_SUSPICION: Record<string, Look> = {
  'nothing waits': lookOf({ due: 0 }),
  'all slots of the installation are taken': lookOf({ active: 4 }),
  'the queue is paused': lookOf({ paused: true }),
  'all slots of the worker are taken': lookOf({ active: 3 }, [worker({ queues: { image: consumer({ held: 4 }) } })]),
  'the worker gives no sign of life': lookOf({}, [worker({ isFresh: false })]),
  'it serves other queues': lookOf({}, [worker({ queues: { llm: consumer() } })]),
  'no worker is ready': lookOf({}, []),
  'Redis does not answer': lookOf(null),
}

for (const [why, look] of Object.entries(ABOVE_SUSPICION))
  test(`nobody is suspected when ${why}, and 15 s begin anew after it`, () => {
    assert.deepEqual(
      judge(60, () => look),
      [],
    )
    const found = judge(9, (n) => (n === 2 ? look : lookOf()))
    assert.deepEqual(doings(found), ['30 refresh io-1 image'])
  })

test('an unlimited queue has room', () => {
  assert.equal(judge(4, () => lookOf({ limit: null, active: 99 })).length, 1)
})

test('a consumer that takes one job now and then is not stuck', () => {
  const at = (n: number) => lookOf({}, [worker({ queues: { image: consumer({ started: Math.floor(n / 2) }) } })])
  assert.deepEqual(judge(60, at), [])
})

test('taking a job clears it: the next time it is refreshed again, not replaced', () => {
  const at = (n: number) => lookOf({}, [worker({ queues: { image: consumer({ started: n < 5 ? 7 : 8 }) } })])
  assert.deepEqual(doings(judge(9, at)), ['15 refresh io-1 image', '40 refresh io-1 image'])
})

test('a new process under the name gets its own time, and what was tried before it counts', () => {
  const at = (n: number) => lookOf({}, [worker({ pid: n <= 6 ? 10 : 11 })])
  assert.deepEqual(doings(judge(20, at)), ['15 refresh io-1 image', '30 replace io-1 image', '65 refresh io-1 image'])
})

test('of two workers only the one that takes nothing is refreshed', () => {
  const at = (n: number) =>
    lookOf({}, [worker({ queues: { image: consumer({ started: n }) } }), worker({ name: 'io-2', pid: 11 })])
  assert.deepEqual(doings(judge(4, at)), ['15 refresh io-2 image'])
})

test('a process with several stuck queues is refreshed for each of them, and replaced once', () => {
  const queues = { image: WAITING, llm: WAITING }
  const both = worker({ queues: { image: consumer(), llm: consumer() } })
  assert.deepEqual(doings(judge(7, () => ({ queues, workers: [both], moving: [] }))), [
    '15 refresh io-1 image',
    '15 refresh io-1 llm',
    '30 replace io-1 image',
  ])
})

test('after a pause of ours the time begins anew', () => {
  assert.deepEqual(
    judge(20, () => lookOf(), 13_000),
    [],
  )
})

const busy = (n: number) => worker({ name: 'io-3', pid: 12, queues: { image: consumer({ started: n }) } })
const second = worker({ name: 'io-2', pid: 11 })

test('a replacement waits for one that is under way, as long as somebody serves the queue, and comes right after it', () => {
  const until = (lastMoving: number) => (n: number) => ({
    ...lookOf({}, [worker(), busy(n)]),
    moving: n <= lastMoving ? ['media-1'] : [],
  })
  assert.deepEqual(doings(judge(9, until(30))), ['15 refresh io-1 image'])
  assert.deepEqual(doings(judge(12, until(9))), ['15 refresh io-1 image', '50 replace io-1 image'])
})

test('it does not wait when nobody serves the queue, but for the end of its own', () => {
  const moving = (slot: string) => judge(7, () => ({ ...lookOf({}, [worker(), second]), moving: [slot] }))
  assert.deepEqual(doings(moving('media-1')).slice(2), ['30 replace io-1 image', '30 replace io-2 image'])
  assert.deepEqual(doings(moving('io-1')).slice(2), ['30 replace io-2 image'])
  const silent = worker({ name: 'io-2', pid: 11, isFresh: false })
  const other = worker({ name: 'llm-1', pid: 13, queues: { llm: consumer() } })
  const alone = judge(7, () => ({ ...lookOf({}, [worker(), silent, other]), moving: ['media-1'] }))
  assert.deepEqual(doings(alone).slice(1), ['30 replace io-1 image'])
})

test('of two that are stuck beside one that works, one is replaced at a time', () => {
  const at = (n: number) => ({
    ...lookOf({}, [worker({ pid: n <= 6 ? 10 : 20 }), second, busy(n)]),
    moving: n > 6 && n <= 10 ? ['io-1'] : [],
  })
  assert.deepEqual(doings(judge(12, at)), [
    '15 refresh io-1 image',
    '15 refresh io-2 image',
    '30 replace io-1 image',
    '55 replace io-2 image',
  ])
})
