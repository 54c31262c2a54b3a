/** Every task comes to an end: also one that is taken away from its stage before it has ended by itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordBody } from '../../src/project/records.ts'
import { executeStage } from '../../src/queue/plan.ts'
import { createReader } from '../../src/queue/reader.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'
import { CREATED, claim, completed, failed, fold, queued } from '../helpers/records.ts'

const DONE_A = [CREATED, queued('a', 1), claim('a', 1, 'fa'), completed('a', 'fa')]
const WAITING_B = [...DONE_A, queued('b', 2), claim('b', 2, 'fb'), released('b', 'fb')]
const executed = (stage: string, n: number): RecordBody => {
  return { type: 'executed', stage, task_id: `p-${n}`, input: { value: 1 }, request_id: null }
}

const TAKEN: [words: string, before: RecordBody[], taking: RecordBody[]][] = [
  ['the project is resumed', WAITING_B, [{ type: 'reopened' }]],
  ['it is queued anew while it waits', WAITING_B, [queued('b', 3)]],
  ['its stage is done again', WAITING_B, [{ type: 'rerun', stage: 'b', and_following: false }]],
  ['an earlier stage is done again', WAITING_B, [{ type: 'rerun', stage: 'a', and_following: false }]],
  ['its stage is executed alone', WAITING_B, [executed('b', 3)]],
  ['another stage is executed alone', WAITING_B, [executed('c', 3)]],
  ['a file of an earlier stage is lost', WAITING_B, [{ type: 'demoted', stage: 'a', missing: ['x'] }]],
  [
    'a file of an earlier stage is lost while it waits for its turn',
    [...DONE_A, executed('b', 2)],
    [{ type: 'demoted', stage: 'a', missing: ['x'] }],
  ],
]

for (const [words, before, taking] of TAKEN)
  test(`a task ends as cancelled when ${words}`, () => {
    const old = fold(before)
    assert.notEqual(old.tasks['p-2']?.status, 'cancelled')
    const { status, finished_at, wait_until, retry_at } = fold(taking, old).tasks['p-2']!
    assert.deepEqual([status, typeof finished_at, wait_until, retry_at], ['cancelled', 'string', null, null])
  })

test('a task that had ended keeps its end', () => {
  const dead = fold([...DONE_A, queued('b', 2), claim('b', 2, 'fb'), failed('b', 'fb', null)])
  const after = fold([{ type: 'reopened' }, queued('b', 3), { type: 'cancelled' }, { type: 'reopened' }], dead)
  assert.deepEqual(
    Object.entries(after.tasks).map(([id, s]) => [id, s.status]),
    [
      ['p-1', 'completed'],
      ['p-2', 'failed'],
      ['p-3', 'cancelled'],
    ],
  )
})

test('a task whose journal was lost on the way has ended, too; its stage comes again under another', () => {
  const running = fold([...DONE_A, queued('b', 2), claim('b', 2, 'fb')])
  const anew = fold([{ type: 'recovered', state: running.state }])
  assert.deepEqual([anew.tasks['p-1']?.status, anew.tasks['p-2']?.status], ['completed', 'cancelled'])
  assert.equal(anew.state.stages[1]!.status, 'pending')
})

test('clients read the end of a task that was resumed under another one', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  await attempt.release('quota', { until: null })
  const reader = createReader(store, {} as never)
  const old = `${project.id}-1`
  assert.equal((await reader.task(project.id, old))?.state, 'RETRY')
  await project.append({ type: 'reopened' })
  await executeStage(project, { stage: 'write', input: null, requestId: null })
  const { state, result } = (await reader.task(project.id, old))!
  assert.deepEqual([state, result?.success], ['REVOKED', false])
  assert.equal((await reader.task(project.id, `${project.id}-2`))?.state, 'PENDING')
})

function released(stage: string, fence: string): RecordBody {
  return { type: 'released', stage, fence, reason: 'quota', until: '2026-01-01T00:00:30.000Z' }
}
