/** When a worker is recycled: a table of looks, and random histories in which no two go at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decideRecycle,
  jobLimit,
  NOTHING_SEEN,
  type RecycleState,
  type WorkerSample,
} from '../../src/launch/recycler.ts'
import { createRandom } from '../helpers/random.ts'
import { heavy, LIMITS, looks, MB, namesOf, worker } from './recycle-looks.ts'

test('memory over the limit counts after three looks in a row, and a peak does not', () => {
  assert.deepEqual(namesOf([[worker()], [heavy], [heavy], [heavy]]), [null, null, null, 'io-1'])
  assert.deepEqual(namesOf([[worker()], [heavy], [heavy], [worker()], [heavy], [heavy]]), Array(6).fill(null))
  assert.match(looks([[worker()], [heavy], [heavy], [heavy]])[3]!.recycle!.why, /600 MB/)
})

test('another process under the same name starts from the beginning', () => {
  const other = worker({ pid: 12, rss_bytes: 600 * MB })
  const seen = [
    [worker(), worker({ slot: 'io-2', pid: 12 })],
    [heavy],
    [heavy],
    [worker({ pid: 12 })],
    [other],
    [other],
  ]
  assert.deepEqual(namesOf(seen), Array(6).fill(null))
})

test('so many jobs, ten percent more or less, which one process keeps and two do not share', () => {
  const all = Array.from({ length: 200 }, (_, pid) => jobLimit(1_000, { name: 'io-1', pid }))
  assert.ok(all.every((limit) => limit >= 900 && limit <= 1_100))
  assert.ok(new Set(all).size > 100, 'they are spread')
  assert.equal(jobLimit(1_000, { name: 'io-1', pid: 7 }), jobLimit(1_000, { name: 'io-1', pid: 7 }))
  assert.equal(jobLimit(1, { name: 'io-1', pid: 7 }), 1)
  const own = jobLimit(100, worker())
  assert.deepEqual(namesOf([[worker({ jobs: own - 1 })], [worker({ jobs: own })]]), [null, 'io-1'])
})

test('0 turns a limit off', () => {
  const never = { maxJobs: 0, maxRssBytes: 0 }
  const huge = worker({ jobs: 1e9, rss_bytes: 1e12 })
  const decisions = looks([[worker()], [huge], [huge], [huge], [huge]], never)
  assert.deepEqual(
    decisions.map((d) => [d.recycle, d.futile.length]),
    Array(5).fill([null, 0]),
  )
})

const worn = worker({ jobs: 200 })
const HELD_BACK: [string, WorkerSample[], string | null][] = [
  ['nothing else happens', [worn, worker({ slot: 'io-2', pid: 12 })], 'io-1'],
  [
    'another is being replaced',
    [worn, worker({ slot: 'io-2', name: 'io-2.next', role: 'next', phase: 'starting' })],
    null,
  ],
  [
    'another still drains',
    [worn, worker({ slot: 'media-1', name: 'media-1.old', role: 'old', phase: 'stopping' })],
    null,
  ],
  ['another is being stopped', [worn, worker({ slot: 'io-2', phase: 'stopping' })], null],
  ['another has crashed', [worn, worker({ slot: 'io-2', phase: 'backoff', pid: null })], null],
  ['one of its group is parked', [worn, worker({ slot: 'io-2', phase: 'parked', pid: null })], null],
  [
    'one of another group is parked',
    [worn, worker({ slot: 'media-1', group: 'media', phase: 'parked', pid: null })],
    'io-1',
  ],
  ['it is parked itself', [worker({ jobs: 200, phase: 'parked', pid: null })], null],
  ['it is starting', [worker({ jobs: 200, phase: 'starting' })], null],
]
for (const [name, samples, expected] of HELD_BACK)
  test(`${expected === null ? 'held back' : 'recycled'} while ${name}`, () => {
    assert.deepEqual(namesOf([samples]), [expected])
  })

test('memory does not wait for a parked one of the group', () => {
  const parked = worker({ slot: 'io-2', phase: 'parked', pid: null })
  assert.deepEqual(
    namesOf([
      [worker(), parked],
      [heavy, parked],
      [heavy, parked],
      [heavy, parked],
    ]).at(-1),
    'io-1',
  )
})

test('a successor that did not come up is tried again after a minute, one that did not before it is due', () => {
  const next = worker({ name: 'io-1.next', role: 'next', phase: 'starting', pid: 12 })
  const failed = [[worn], [worn, next], ...Array(20).fill([worn])] as WorkerSample[][]
  const asked = namesOf(failed).flatMap((name, i) => (name === null ? [] : [i * 5]))
  assert.deepEqual(asked, [0, 70], 'the failure is seen at 10 s')
  const fresh = worker({ pid: 12 })
  const replaced = [
    [worn],
    [worn, next],
    [fresh, worker({ ...worn, name: 'io-1.old', role: 'old', phase: 'stopping' })],
  ]
  assert.deepEqual(namesOf([...replaced, [fresh], [worker({ pid: 12, jobs: 200 })]]), [
    'io-1',
    null,
    null,
    null,
    'io-1',
  ])
})

test('a limit below what a fresh process holds is named once, and does not recycle for ever', () => {
  const low = { maxJobs: 0, maxRssBytes: 50 * MB }
  const grown = worker({ rss_bytes: 130 * MB })
  const decisions = looks([[worker()], [worker()], [worker()], [worker()], [grown], [grown], [grown]], low)
  assert.deepEqual(
    decisions.map((d) => d.futile.length),
    [1, 0, 0, 0, 0, 0, 0],
  )
  assert.equal(decisions[0]!.futile[0]!.rssBytes, 80 * MB)
  assert.deepEqual(
    decisions.map((d) => d.recycle?.name ?? null),
    [null, null, null, null, null, null, 'io-1'],
  )
})

test('random histories: never two at once, never one that is not ready, and each over its limit has its turn', () => {
  for (let seed = 1; seed <= 200; seed++) playHistory(seed)
})

/** A small world of six processes that follows what is decided; its moves take a random number of looks. */
function playHistory(seed: number): void {
  const random = createRandom(`recycle ${seed}`)
  let pid = 100
  let state: RecycleState = NOTHING_SEEN
  const slots = ['io-1', 'io-2', 'io-3', 'media-1', 'media-2', 'video-1']
  const world = slots.map((slot) => worker({ slot, group: slot.split('-')[0]!, pid: pid++ }))
  let moving: { slot: string; looksLeft: number; old: WorkerSample } | undefined
  let recycled = 0
  for (let look = 0; look < 300; look++) {
    for (const one of world) {
      one.jobs += Math.floor(random() * 8)
      one.rss_bytes += random() < 0.1 ? 40 * MB : 0
    }
    const samples = moving ? [...world, moving.old] : world
    const decision = decideRecycle(state, samples, { nowMs: look * 5_000, limits: LIMITS })
    state = decision.state
    if (moving) {
      assert.equal(decision.recycle, null, `seed ${seed}: a second one at look ${look}`)
      if (--moving.looksLeft === 0) moving = undefined
    } else if (decision.recycle) {
      const at = world.findIndex(({ name }) => name === decision.recycle!.name)
      const old = world[at]!
      assert.ok(old.jobs >= 90 || old.rss_bytes > 500 * MB)
      world[at] = worker({ slot: old.slot, group: old.group, pid: pid++ })
      moving = {
        slot: old.slot,
        looksLeft: 1 + Math.floor(random() * 5),
        old: { ...old, name: `${old.slot}.old`, role: 'old', phase: 'stopping' },
      }
      recycled++
    }
  }
  assert.ok(recycled > 20, `seed ${seed}: ${recycled} were recycled`)
}
