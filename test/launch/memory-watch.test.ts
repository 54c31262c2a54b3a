/** A memory limit that is too low for the work: histories of one slot, and what the recycler makes of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideRecycle, NOTHING_SEEN, type RecycleState, type WorkerSample } from '../../src/launch/recycler.ts'
import { heavy, LIMITS, looks, MB, namesOf, worker } from './recycle-looks.ts'

/** One slot whose every process holds so much once it works; gives the seconds of its replacements, and what was futile. */
function working(hours: number, rssOf: (ageS: number, generation: number) => number) {
  let state: RecycleState = NOTHING_SEEN
  const replacedAt: number[] = []
  const futile: { s: number; name: string; when: string; rssBytes: number }[] = []
  let bornS = 0
  for (let s = 0; s < hours * 3_600; s += 5) {
    const generation = replacedAt.length
    const rss_bytes = rssOf(s - bornS, generation) * MB
    const samples = [worker({ pid: 100 + generation, rss_bytes })]
    const decision = decideRecycle(state, samples, { nowMs: s * 1_000, limits: LIMITS })
    state = decision.state
    futile.push(...decision.futile.map((one) => ({ s, ...one })))
    if (!decision.recycle) continue
    replacedAt.push(s)
    bornS = s + 5
  }
  return { replacedAt, futile }
}

test('a worker whose work needs more than the limit is not replaced for ever, and the setting is named', () => {
  const { replacedAt, futile } = working(4, (ageS) => (ageS < 20 ? 80 : 600))
  assert.deepEqual(replacedAt, [30, 3_640, 7_250, 10_860], 'once, and then once an hour')
  assert.deepEqual(
    futile.map(({ s, when }) => [s, when]),
    [65, 3_675, 7_285, 10_895].map((s) => [s, 'working']),
  )
  assert.deepEqual([futile[0]!.name, futile[0]!.rssBytes], ['io-1', 600 * MB])
})

test('one that grows far beyond what the one before held is replaced all the same, though not every minute', () => {
  const leak = working(1, (ageS) => 80 + ageS * 3)
  assert.equal(leak.replacedAt[0], 155)
  assert.ok(leak.replacedAt.length >= 6, `${leak.replacedAt}`)
  const pauses = leak.replacedAt.slice(1).map((s, i) => s - leak.replacedAt[i]!)
  assert.ok(Math.min(...pauses) >= 300, `${pauses}`)
  assert.ok(Math.max(...pauses) <= 600, 'memory never goes far beyond three times the limit')
  const huge = working(1, (ageS) => (ageS < 20 ? 80 : 5_000))
  assert.ok(huge.replacedAt.length <= 12, 'even where three times the limit is not enough')
})

test('memory that comes slowly is no reason to think the limit too low', () => {
  const { replacedAt, futile } = working(2, (ageS) => 80 + ageS)
  assert.ok(replacedAt.length > 10)
  assert.deepEqual(futile, [])
})

test('a replacement of hours ago says nothing about a peak of today, nor one that failed about its own process', () => {
  const peak = working(3, (ageS, generation) => (generation === 0 ? (ageS < 20 ? 80 : 600) : ageS > 7_200 ? 600 : 80))
  assert.equal(peak.replacedAt.length, 2)
  assert.deepEqual(peak.futile, [])
  const next = worker({ name: 'io-1.next', role: 'next', phase: 'starting', pid: 12 })
  const failed = [[worker()], [heavy], [heavy], [heavy], [heavy, next], ...Array(14).fill([heavy])] as WorkerSample[][]
  assert.deepEqual(
    namesOf(failed).flatMap((name, i) => (name === null ? [] : [i * 5])),
    [15, 85],
  )
})

test('one that is let be does not keep others from their turn', () => {
  const light = worker({ slot: 'io-2', pid: 12 })
  const again = worker({ pid: 21, rss_bytes: 600 * MB })
  const seen = [
    [worker(), light],
    ...Array(3).fill([heavy, light]),
    [worker({ pid: 21 }), light],
    ...Array(4).fill([again, light]),
    ...Array(3).fill([again, worker({ slot: 'io-2', pid: 12, rss_bytes: 600 * MB })]),
  ] as WorkerSample[][]
  assert.deepEqual(
    namesOf(seen).filter((name) => name !== null),
    ['io-1', 'io-2'],
  )
})

test('one that has done jobs before it is first seen is not taken for a fresh one', () => {
  const grown = worker({ rss_bytes: 600 * MB, jobs: 40 })
  const decisions = looks(Array(3).fill([grown]))
  assert.deepEqual(
    decisions.map(({ recycle, futile }) => [recycle?.name, futile.length]),
    [
      [undefined, 0],
      [undefined, 0],
      ['io-1', 0],
    ],
  )
})
