/** Several processes plan for one project: the API that made it, the scheduler that found it, the worker that ended a stage. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProjectStore } from '../../src/project/store.ts'
import { advance, queueStage } from '../../src/queue/plan.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('whoever queues a stage late finds the task of whoever was first, or nothing to do when that has run', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const late = await createProjectStore(store.layout).open(project.id)
  const first = await advance(project)
  assert.equal(first?.stage, 'write')
  assert.deepEqual(await queueStage(late, 'write', true), first)
  const attempt = await begin(project, 'write')
  await attempt.complete({ result: null, text: null, credit: NO_CREDIT })
  assert.equal(await queueStage(late, 'write', true), undefined)
  assert.equal((await advance(late))?.stage, 'draw', 'the next one is there for the taking')
})
