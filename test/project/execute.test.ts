import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Folded } from '../../src/project/folded.ts'
import type { RecordBody } from '../../src/project/records.ts'
import { executeStage } from '../../src/queue/plan.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'
import { CREATED, claim, completed, failed, fold, queued, statuses } from '../helpers/records.ts'

const executed = (stage: string, n: number): RecordBody => ({
  type: 'executed',
  stage,
  task_id: `p-${n}`,
  input: { value: { own: true } },
  request_id: null,
})
const run = (stage: string, n: number): RecordBody[] => [
  queued(stage, n),
  claim(stage, n, `f${n}`),
  completed(stage, `f${n}`),
]
const stageOf = (folded: Folded, name: string) => folded.state.stages.find((s) => s.name === name)!

test('one stage alone: nothing follows, and later results are stale', () => {
  const done = fold([CREATED, ...run('a', 1), ...run('b', 2), ...run('c', 3)])
  const alone = fold([executed('b', 4)], done)
  assert.deepEqual(statuses(alone), ['completed', 'queued', 'completed'])
  assert.deepEqual([alone.continues, alone.internals.b!.take], [false, 1])
  assert.deepEqual(stageOf(alone, 'b').own_input, { value: { own: true } })
  const after = fold([claim('b', 4, 'f4'), completed('b', 'f4')], alone)
  assert.equal(after.state.status, 'completed')
  assert.deepEqual(
    after.state.stages.map((s) => s.stale),
    [false, false, true],
  )
})

test('a stage may run before those in front of it; what had failed counts as not yet done', () => {
  const stopped = fold([CREATED, queued('a', 1), claim('a', 1, 'f1'), failed('a', 'f1', null)])
  const alone = fold([executed('c', 2)], stopped)
  assert.deepEqual(statuses(alone), ['pending', 'pending', 'queued'])
  const after = fold([claim('c', 2, 'f2'), completed('c', 'f2')], alone)
  assert.deepEqual([after.state.status, after.continues], ['pending', false])
})

test('not while a stage is on its way', () => {
  const busy = fold([CREATED, queued('a', 1)])
  assert.deepEqual(statuses(fold([executed('b', 2)], busy)), ['queued', 'pending', 'pending'])
})

test('the repetition of a request finds its task, also after it has ended', () => {
  const asked = { ...executed('b', 1), request_id: 'r' } as RecordBody
  const done = fold([CREATED, asked, claim('b', 1, 'f1'), completed('b', 'f1')])
  const again = fold([{ ...executed('b', 2), request_id: 'r' } as RecordBody], done)
  assert.deepEqual([again.requests, statuses(again)], [{ r: 'p-1' }, statuses(done)])
})

test('every task is known by how it stood last, also after its stage went on with another', () => {
  const folded = fold([
    CREATED,
    ...run('a', 1),
    executed('a', 2),
    claim('a', 2, 'f2'),
    failed('a', 'f2', null),
    { type: 'reopened' },
    queued('a', 3),
  ])
  assert.deepEqual(
    Object.entries(folded.tasks).map(([id, s]) => [id, s.name, s.status]),
    [
      ['p-1', 'a', 'completed'],
      ['p-2', 'a', 'failed'],
      ['p-3', 'a', 'queued'],
    ],
  )
})

test('a provider that asks to wait costs no try', () => {
  const running = fold([CREATED, queued('a', 1), claim('a', 1, 'f1')])
  const until = '2026-01-01T00:00:30.000Z'
  const waiting = fold(
    [{ type: 'deferred', stage: 'a', fence: 'f1', until, error: { code: 'x', message: 'busy' } }],
    running,
  )
  const stage = stageOf(waiting, 'a')
  assert.deepEqual([stage.status, stage.retries, stage.waits, stage.retry_at], ['queued', 0, 1, until])
  const parked = fold(
    [claim('a', 1, ['f2', 'f1']), { type: 'released', stage: 'a', fence: 'f2', reason: 'quota', until }],
    waiting,
  )
  assert.deepEqual(
    [parked.state.status, parked.state.reason, stageOf(parked, 'a').wait_until],
    ['waiting', 'quota', until],
  )
})

test('claims and status changes know their place in the journal', () => {
  const folded = fold([CREATED, queued('a', 1), claim('a', 1, 'f1')])
  assert.deepEqual([folded.internals.a!.claimRevision, folded.internals.a!.revision, folded.projectRevision], [3, 3, 3])
  const later = fold([{ type: 'progress', stage: 'a', fence: 'f1', progress: 40, message: null }], folded)
  assert.deepEqual([later.internals.a!.revision, later.projectRevision], [3, 4])
})

test('an input of its own over 16 KB lies in a file, and the streamed text is kept', async (t) => {
  const project = await createProject(await openStore(t), { text: 'the project' })
  const input = { text: 'x'.repeat(20_000) }
  assert.ok(await executeStage(project, { stage: 'draw', input, requestId: null }))
  assert.deepEqual(await project.input('draw'), input)
  assert.deepEqual(await project.input('write'), { text: 'the project' })
  const attempt = await begin(project, 'draw')
  const { state } = await attempt.complete({ result: 1, text: 'y'.repeat(20_000), credit: NO_CREDIT })
  assert.deepEqual([state.stages[1]!.text, state.stages[1]!.text_artifact], [null, 'draw.text.json'])
})
