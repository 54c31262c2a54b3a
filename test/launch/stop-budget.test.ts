/** A stop fits into what the outside allows, and is as patient as it can be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  HURRY,
  KILL,
  momentsOf,
  type StopBudget,
  type StopPart,
  stagesGiveBackMs,
  stopBudget,
  totalMs,
} from '../../src/launch/stop-budget.ts'

const of = (seconds: number) => stopBudget({ by: 'setting', seconds })
const PARTS: StopPart[] = ['work', 'notes', 'api', 'redis', 'sweep', 'last']

test('without a limit, or with a generous one: told to end after 18 s, over after 28 s', () => {
  const full = { abortAfterMs: 18_000, giveBackMs: 5_000, tailMs: 5_000 }
  assert.deepEqual(stopBudget(null), full)
  for (const seconds of [29, 30, 90, 3_600]) assert.deepEqual(of(seconds), full)
  assert.equal(totalMs(full), 28_000)
})

test('a process ends itself before it is killed, and leaves its stages most of the time', () => {
  assert.equal(stagesGiveBackMs(5_000), 4_500)
  for (const { giveBackMs } of [stopBudget(null), of(3), of(6), HURRY]) {
    assert.ok(giveBackMs - stagesGiveBackMs(giveBackMs) >= 180)
    assert.ok(stagesGiveBackMs(giveBackMs) >= giveBackMs * 0.8)
  }
})

test('hurried it is over within 2 s', () => {
  assert.ok(totalMs(HURRY) < 2_000)
  assert.ok(totalMs(KILL) < 2_000)
})

/** How long each part may take after the one before; the first after the kill. */
function spans(budget: StopBudget): number[] {
  const moments = momentsOf(budget, 0)
  const killMs = budget.abortAfterMs + budget.giveBackMs
  return PARTS.map((part, i) => moments[part] - (i === 0 ? killMs : moments[PARTS[i - 1]!]))
}

test('the parts follow one another, and the sweep ends with the budget; a second later it is given up', () => {
  for (const budget of [stopBudget(null), of(6), HURRY, KILL]) {
    assert.ok(
      spans(budget).every((ms) => ms > 0),
      JSON.stringify(spans(budget)),
    )
    const { sweep, last } = momentsOf(budget, 1_000)
    assert.ok(Math.abs(sweep - 1_000 - totalMs(budget)) < 1e-6)
    assert.equal(last, 1_000 + totalMs(budget) + 1_000)
  }
})

test('with any limit it is over in time, every part gets some, and more time means more patience', () => {
  for (let seconds = 3; seconds <= 60; seconds++) {
    const budget = of(seconds)
    assert.ok(totalMs(budget) < seconds * 1_000, `${totalMs(budget)} ms with ${seconds} s`)
    assert.ok(budget.abortAfterMs >= 1_000)
    assert.ok(budget.giveBackMs >= 900 && Math.min(...spans(budget)) >= 90, JSON.stringify(budget))
    assert.ok(of(seconds + 1).abortAfterMs >= budget.abortAfterMs)
  }
})

const ABORTS: [seconds: number, abortAfterMs: number][] = [
  [6, 1_000],
  [9, 1_000],
  [10, 2_000],
  [20, 12_000],
  [27, 18_000],
]

for (const [seconds, abortAfterMs] of ABORTS)
  test(`with ${seconds} s running steps are told to end after ${abortAfterMs / 1_000} s`, () =>
    assert.equal(of(seconds).abortAfterMs, abortAfterMs))
