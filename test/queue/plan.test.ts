/** What should be in the queues: for several processes that plan at once, after a loss, and after a rerun. */
import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { test } from 'node:test'
import type { Attempt } from '../../src/project/attempt.ts'
import { createProjectStore } from '../../src/project/store.ts'
import { advance, executeStage, type PlanFacts, queueStage, wakeUpFor } from '../../src/queue/plan.ts'
import { errnoError } from '../helpers/failing-files.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('whoever queues a stage late finds the task of whoever was first, or nothing to do when that has run', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const late = await createProjectStore(store.layout).open(project.id)
  const first = await advance(project)
  assert.equal(first?.stage, 'write')
  assert.deepEqual(await queueStage(late, 'write', true), first)
  const attempt = await begin(project, 'write')
  await complete(attempt)
  assert.equal(await queueStage(late, 'write', true), undefined)
  assert.equal((await advance(late))?.stage, 'draw', 'the next one is there for the taking')
})

test('after the loss of its journal a project goes on under a task of its own, however many it has had', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await begin(project, 'write')
  await project.append({ type: 'cancelled' })
  await project.append({ type: 'reopened' })
  await complete(await begin(project, 'write')) // its second task
  await advance(project)
  await project.refresh()
  await rm(project.paths.journal)

  const again = await createProjectStore(store.layout).open(project.id)
  assert.equal(again.read().state.stages[1]?.status, 'pending')
  const wakeUp = await advance(again)
  assert.deepEqual([wakeUp?.stage, again.read().state.stages[1]?.status], ['draw', 'queued'])
  const { revision } = again.read().state
  assert.equal(await advance(again), undefined)
  assert.equal(again.read().state.revision, revision, 'a look writes nothing more')
})

test('a request that did not count wakes nobody', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await attempt.fail({ code: 'internal', message: 'it broke' }, null)
  assert.equal(await queueStage(project, 'write', true), undefined, 'the task that failed is no job')
})

test('a stage that waits is not woken beside an earlier one that runs anew: it comes when that is done', async (t) => {
  const project = await createProject(await openStore(t))
  await complete(await begin(project, 'write'))
  const waiting = await begin(project, 'draw')
  await waiting.release('quota', { until: new Date(0).toISOString() })
  await project.append({ type: 'rerun', stage: 'write', and_following: false })
  assert.equal((await advance(project))?.stage, 'write')
  const rerun = await begin(project, 'write')
  assert.equal(wakeUpFor(project, FACTS), undefined, 'its owner lives, and nothing else is due')
  await complete(rerun)
  assert.equal((await advance(project))?.stage, 'draw')
})

test('a stage that waits before the one that runs anew keeps its turn', async (t) => {
  const project = await createProject(await openStore(t))
  const waiting = await begin(project, 'write')
  await waiting.release('quota', { until: new Date(0).toISOString() })
  await project.append({ type: 'rerun', stage: 'draw', and_following: false })
  assert.equal(await advance(project), undefined)
  assert.equal(wakeUpFor(project, FACTS)?.stage, 'write')
})

test('of two executions that are asked for at once one counts, with its own input, and the other leaves nothing', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const others = await Promise.all([1, 2, 3].map(() => createProjectStore(store.layout).open(project.id)))
  for (const filler of ['', 'x'.repeat(20_000)]) {
    const inputs = others.map((_, i) => ({ text: `${i}${filler}` }))
    const asked = others.map((other, i) => executeStage(other, { stage: 'draw', input: inputs[i], requestId: null }))
    const wakeUps = await Promise.all(asked)
    const [winner, ...more] = wakeUps.flatMap((wakeUp, i) => (wakeUp ? [i] : []))
    assert.deepEqual([winner !== undefined, more], [true, []])
    assert.deepEqual(await project.input('draw'), inputs[winner!])
    assert.equal(wakeUps[winner!]?.taskId, project.read().state.stages[1]!.task_id)
    assert.equal((await readdir(project.paths.input).catch(() => [])).length, filler ? 1 : 0)
    await project.append({ type: 'cancelled' })
  }
})

test('the repetition of an execution that comes at the same time has the same task, and leaves one input', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const twin = await createProjectStore(store.layout).open(project.id)
  const execution = { stage: 'draw', input: 'x'.repeat(20_000), requestId: 'r' }
  const [one, two] = await Promise.all([project, twin].map((p) => executeStage(p, execution)))
  assert.deepEqual([one?.taskId, two], [`${project.id}-1`, one])
  assert.equal((await readdir(project.paths.input)).length, 1)
})

test('an execution that cannot be written down leaves no input', async (t) => {
  const project = await createProject(await openStore(t))
  const refuse = { ...project, append: () => Promise.reject(errnoError('ENOSPC')) }
  const execution = { stage: 'draw', input: 'x'.repeat(20_000), requestId: null }
  await assert.rejects(executeStage(refuse, execution), { code: 'ENOSPC' })
  assert.deepEqual(await readdir(project.paths.input), [])
})

const FACTS: PlanFacts = { isHeld: () => true, resume: 'auto', nowMs: Date.now, hasRoom: () => false }

const complete = (attempt: Attempt) => attempt.complete({ result: null, text: null, credit: NO_CREDIT })
