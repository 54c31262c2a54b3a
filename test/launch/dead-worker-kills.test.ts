/** Workers that somebody else kills, or a stage that looks like somebody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeJobsBack } from '../../src/launch/dead-worker.ts'
import { createProject } from '../helpers/projects.ts'
import { CLEAN, EXIT, KILLED, openCase, stagesOf, suspicionOf } from './dead-worker-case.ts'

test('a kill from outside waits for no project: all jobs go back at once, and nobody is charged', async (t) => {
  const { store, deps, events, run } = await openCase(t)
  const project = await createProject(store)
  await run(project)
  store.open = () => assert.fail('a project was opened')
  await takeJobsBack(deps, { ...EXIT, code: null, signal: 'SIGKILL', reason: 'was ended by SIGKILL' })
  assert.deepEqual(events, [`back ${project.id}-1 while running`, 'taken back 1'])
  assert.deepEqual(project.read().internals.write!.alone, false)
})

test('killed from outside again and again in one place: suspected from the third time on, charged only after the tenth, then poison', async (t) => {
  const { store, deps, events, run } = await openCase(t)
  const [guilty, neighbour] = [await createProject(store), await createProject(store)]
  const suspicion = () => [guilty, neighbour].map((project) => suspicionOf(project))
  for (const wanted of [true, true, false]) {
    await run(guilty)
    await run(neighbour)
    await takeJobsBack(deps, { ...KILLED, wanted })
  }
  assert.deepEqual(suspicion(), [CLEAN, CLEAN], 'an end that was wanted does not count')
  for (const project of [guilty, neighbour]) await run(project)
  await takeJobsBack(deps, KILLED)
  assert.deepEqual(suspicion(), Array(2).fill({ alone: true, deaths: 0 }))
  for (let kill = 4; kill <= 10; kill++) {
    await run(guilty)
    await takeJobsBack(deps, KILLED)
    assert.deepEqual(suspicion()[0], { alone: true, deaths: 0 })
  }
  await run(guilty)
  await takeJobsBack(deps, KILLED)
  assert.deepEqual(suspicion()[0], { alone: true, deaths: 1 })
  await run(guilty)
  await takeJobsBack(deps, KILLED)
  const [stage] = stagesOf(guilty)
  assert.deepEqual([stage?.status, stage?.error?.code], ['failed', 'poison'])
  assert.deepEqual(events.slice(-2), [`back ${guilty.id}-1 while failed`, 'taken back 0'], 'it does not run again')
  assert.deepEqual(suspicion()[1], { alone: true, deaths: 0 })
})

test('a stage that comes further between the kills is not suspected, nor is any while others are killed as well', async (t) => {
  const { store, deps, run, step } = await openCase(t)
  const project = await createProject(store)
  const strike = async () => {
    await run(project)
    await takeJobsBack(deps, KILLED)
  }
  for (const name of ['a', 'b', 'c', 'd']) {
    await run(project)
    await step(project, name)
    await takeJobsBack(deps, KILLED)
    await strike()
  }
  await takeJobsBack(deps, { ...KILLED, name: 'redis' })
  for (let kill = 1; kill <= 6; kill++) await strike()
  assert.deepEqual(suspicionOf(project), CLEAN)
})
