/** Counters that only grow, whatever happens to the processes that count. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTotals } from '../../src/launch/totals.ts'
import { createRandom } from '../helpers/random.ts'
import { childStatus } from './child-status.ts'

const tally = (completed: number) => ({
  completed,
  failed: 0,
  retried: 0,
  released: 0,
  started: completed,
  busy_s: completed / 2,
})
const worker = (
  pid: number | null,
  changes: { name?: string; cpu_s?: number; restarts?: number; llm?: number } = {},
) => {
  const { llm = 0, ...rest } = changes
  return childStatus({ pid, cpu_s: 0, beat: { queues: { llm: tally(llm) } }, ...rest })
}

test('a new process goes on where the last one ended', () => {
  const totals = createTotals()
  totals.note([worker(1, { cpu_s: 2, llm: 10 })])
  totals.note([worker(1, { cpu_s: 3, llm: 12 })])
  totals.noteEnd(worker(null, { llm: 15 }), 1) // its last beat came after the last look
  totals.note([worker(null, { restarts: 0, llm: 15 })])
  totals.note([worker(2, { cpu_s: 1, llm: 4, restarts: 1 })])
  assert.equal(totals.queues().get('llm')?.completed, 19)
  assert.equal(totals.queues().get('llm')?.busy_s, 9.5)
  assert.equal(totals.cpuSeconds().get('io-1'), 4)
  assert.equal(totals.restarts().get('io-1'), 1)
})

test('a stage that failed without its process is counted with those that processes count', () => {
  const totals = createTotals()
  totals.noteFailure('llm')
  totals.note([worker(1, { llm: 2 })])
  totals.noteFailure('llm')
  assert.deepEqual(totals.queues().get('llm'), { ...tally(2), failed: 2 })
})

test('two processes of a slot count beside each other while one is replaced', () => {
  const totals = createTotals()
  totals.note([worker(1, { llm: 10 })])
  totals.note([{ ...worker(1, { llm: 11, restarts: 0 }), role: 'old' }, worker(2, { llm: 3, restarts: 1 })])
  totals.noteEnd({ ...worker(null, { llm: 12 }), role: 'old' }, 1)
  totals.note([worker(2, { llm: 5, restarts: 1 })])
  assert.equal(totals.queues().get('llm')?.completed, 17)
  assert.equal(totals.restarts().get('io-1'), 1)
})

test('a slot that was taken out and comes back counts on', () => {
  const totals = createTotals()
  totals.note([worker(1, { name: 'io-2', restarts: 3 })])
  totals.note([])
  totals.note([worker(9, { name: 'io-2', restarts: 0 })])
  totals.note([worker(9, { name: 'io-2', restarts: 1 })])
  assert.equal(totals.restarts().get('io-2'), 4)
})

test('random lives: nothing ever falls, and all that was done is counted', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = createRandom(`totals ${seed}`)
    const totals = createTotals()
    let [pid, done, cpu, restarts] = [1, 0, 0, 0]
    let expected = 0
    let before = 0
    for (let turn = 0; turn < 200; turn++) {
      const more = Math.floor(random() * 5)
      ;[done, cpu, expected] = [done + more, cpu + random(), expected + more]
      if (random() < 0.1) {
        totals.noteEnd(worker(null, { llm: done, restarts }), pid)
        ;[pid, done, cpu, restarts] = [pid + 1, 0, 0, restarts + 1]
      }
      totals.note([worker(pid, { llm: done, cpu_s: cpu, restarts })])
      const counted = totals.queues().get('llm')!.completed
      assert.ok(counted >= before, `seed ${seed}: it fell from ${before} to ${counted}`)
      before = counted
    }
    assert.equal(before, expected, `seed ${seed}`)
    assert.equal(totals.restarts().get('io-1'), restarts)
  }
})
