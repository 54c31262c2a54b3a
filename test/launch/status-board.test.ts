/** What /status says of a known world. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStatusBoard, type StatusSources } from '../../src/launch/status-board.ts'
import { QUEUE_NAMES, type QueueName } from '../../src/settings.ts'
import { childStatus } from './child-status.ts'

const COUNTS = Object.fromEntries(QUEUE_NAMES.map((name) => [name, { waiting: 3, active: 2, failed: 0 }])) as Record<
  QueueName,
  { waiting: number; active: number; failed: number }
>

function sources(changes: Partial<StatusSources> = {}): StatusSources {
  return {
    version: '1.2.3',
    startedMs: 0,
    children: () => [childStatus()],
    held: () => [],
    redis: {
      mode: 'spawned',
      latest: () => ({ running: true, latency_ms: 1, since: '2026-01-01T00:00:00.000Z', refusal: null }),
    },
    dispatcher: { counts: async () => COUNTS },
    store: { openIds: async () => [], open: () => Promise.reject(new Error('there is none')) },
    catalog: { counts: async () => ({}) },
    failedStages: () => new Map([['llm', 3]]),
    phase: () => 'running',
    groups: ['io'],
    ...changes,
  }
}

test('failed stages are counted by queue, for the queues keep no jobs that failed; also while Redis is away', async () => {
  const { queues } = await createStatusBoard(sources())()
  assert.deepEqual(queues.llm, { waiting: 3, active: 2, failed: 3 })
  const away = await createStatusBoard(sources({ dispatcher: { counts: () => Promise.reject(new Error('away')) } }))()
  assert.deepEqual(away.queues.llm, { waiting: 0, active: 0, failed: 3 })
  assert.equal(away.queues.video?.failed, 0)
})
