import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTally } from '../../src/queue/tally.ts'

test('ends are counted by queue and outcome, a superseded stage and a job with nothing to do only as started', () => {
  const tally = createTally(['llm', 'image'])
  const ends = ['completed', 'completed', 'failed', 'stuck', 'retry', 'released', 'superseded', undefined] as const
  for (const outcome of ends) {
    tally.started('llm')
    tally.ended('llm', { outcome, ms: 500 })
  }
  tally.started('image')
  tally.ended('image', { outcome: 'completed', ms: 250 })
  const llm = { completed: 2, failed: 2, retried: 1, released: 1 }
  const image = { completed: 1, failed: 0, retried: 0, released: 0 }
  assert.deepEqual(tally.queues(), {
    llm: { ...llm, started: 8, busy_s: 3 },
    image: { ...image, started: 1, busy_s: 0.25 },
  })
  assert.deepEqual(tally.done(), { completed: 3, failed: 2, retried: 1, released: 1 })
})

test('what was given out does not change with the next job', () => {
  const tally = createTally(['llm'])
  const before = tally.queues()
  tally.started('llm')
  assert.equal(before.llm?.started, 0)
})
