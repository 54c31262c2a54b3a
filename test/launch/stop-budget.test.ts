/** A stop fits into what the outside allows, and is as patient as it can be. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StopBudget, stopBudget } from '../../src/launch/stop-budget.ts'

const sum = (budget: StopBudget) => Object.values(budget).reduce((total, ms) => total + ms, 0)
const of = (seconds: number) => stopBudget({ by: 'setting', seconds })

test('without a limit, or with a generous one: told to end after 18 s, over after 28 s', () => {
  const full = { abortAfterMs: 18_000, giveBackMs: 5_000, apiCloseMs: 1_000, redisStopMs: 4_000 }
  assert.deepEqual(stopBudget(null), full)
  for (const seconds of [29, 30, 90, 3_600]) assert.deepEqual(of(seconds), full)
  assert.equal(sum(full), 28_000)
})

test('with any limit it is over in time, every part gets some, and more time means more patience', () => {
  for (let seconds = 3; seconds <= 60; seconds++) {
    const budget = of(seconds)
    assert.ok(sum(budget) < seconds * 1_000, `${sum(budget)} ms with ${seconds} s`)
    assert.ok(budget.abortAfterMs >= 1_000)
    assert.ok(Math.min(budget.giveBackMs, budget.apiCloseMs, budget.redisStopMs) >= 200, JSON.stringify(budget))
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
