/** What is written and what goes back when a worker has died, in this order. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { type DeadWorkerDeps, takeJobsBack } from '../../src/launch/dead-worker.ts'
import { createHeldJobs } from '../../src/launch/held-jobs.ts'
import { tempPath } from '../../src/lib/files.ts'
import { until } from '../../src/lib/until.ts'
import type { Project } from '../../src/project/store.ts'
import type { HeldJob } from '../../src/queue/job.ts'
import { ALIVE, begin, createProject, NO_CREDIT } from '../helpers/projects.ts'
import { DEAD, EXIT, openCase, stagesOf, suspicionOf } from './dead-worker-case.ts'

test('the only stage is charged before its job goes back, and viewers hear of it; the second time it fails', async (t) => {
  const { store, deps, events, run } = await openCase(t)
  const project = await createProject(store)
  await run(project)
  await takeJobsBack(deps, EXIT)
  const [first] = stagesOf(project)
  assert.deepEqual([first?.status, first?.retries], ['queued', 0])
  assert.deepEqual(events, [
    `announce ${project.id} queued`,
    'charged write 1',
    `back ${project.id}-1 while queued`,
    'taken back 1',
  ])
  await run(project)
  await takeJobsBack(deps, { ...EXIT, name: 'io-1.old', code: null, signal: 'SIGSEGV', reason: 'was ended by SIGSEGV' })
  const [second] = stagesOf(project)
  assert.deepEqual([second?.status, second?.error?.code], ['failed', 'poison'])
  assert.equal(
    second?.error?.message,
    'write ended its worker twice: io-1 exited with code 3, then io-1 was ended by SIGSEGV',
  )
  assert.ok(events.includes('charged write 2'))
  assert.deepEqual(
    events.filter((event) => event.startsWith('failure')),
    ['failure llm'],
  )
})

test('of several none is charged, and all are alone next; what had ended or not begun is not suspected', async (t) => {
  const { store, deps, events, run, hold } = await openCase(t)
  const projects = await Promise.all([1, 2, 3, 4].map(() => createProject(store)))
  const [a, b, done, taken] = projects as [Project, Project, Project, Project]
  for (const project of [a, b]) await run(project)
  const ended = await run(done)
  await ended.release('interrupted')
  await begin(taken, 'write', { ...ALIVE, token: 'another' }) // by a living process
  hold(taken)
  await takeJobsBack(deps, EXIT)
  const suspicion = projects.map((project) => project.read().internals.write!)
  assert.deepEqual(
    suspicion.map(({ alone, deaths }) => [alone, deaths.length]),
    [
      [true, 0],
      [true, 0],
      [false, 0],
      [false, 0],
    ],
  )
  assert.equal(stagesOf(taken)[0]?.status, 'running')
  assert.ok(events.includes('taken back 4'))
})

test('one that ran beside a cancelled stage whose code went on is not charged, but is alone next', async (t) => {
  const { store, deps, events, run } = await openCase(t)
  const [cancelled, innocent] = [await createProject(store), await createProject(store)]
  for (const project of [cancelled, innocent]) await run(project)
  await cancelled.append({ type: 'cancelled' })
  await takeJobsBack(deps, { ...EXIT, code: null, signal: 'SIGABRT', reason: 'was ended by SIGABRT' })
  const { deaths, alone } = innocent.read().internals.write!
  assert.deepEqual([deaths.length, alone], [0, true])
  assert.ok(!events.some((event) => event.startsWith('charged')))
})

test('a stage that comes further between its deaths is not poison for them, until they are five', async (t) => {
  const { store, deps, run, step } = await openCase(t)
  const project = await createProject(store)
  for (const name of ['a', 'b', 'c', 'd']) {
    await run(project)
    await step(project, name)
    await takeJobsBack(deps, EXIT)
    assert.deepEqual([stagesOf(project)[0]?.status, suspicionOf(project)], ['queued', { alone: true, deaths: 1 }])
  }
  await run(project)
  await step(project, 'e')
  await takeJobsBack(deps, EXIT)
  const { error } = stagesOf(project)[0]!
  const message = 'write ended its worker 5 times, at last: io-1 exited with code 3'
  assert.deepEqual([error?.code, error?.message], ['poison', message])
})

test('a stage that completed just now shares no blame', async (t) => {
  const { store, deps, run } = await openCase(t)
  const [done, guilty] = [await createProject(store), await createProject(store)]
  const attempt = await run(done)
  await run(guilty)
  await attempt.complete({ result: null, text: null, credit: NO_CREDIT })
  await takeJobsBack(deps, EXIT)
  assert.equal(guilty.read().internals.write!.deaths.length, 1)
})

test('a SIGKILL while the machine is out of memory is charged', async (t) => {
  const { store, deps, run } = await openCase(t)
  const project = await createProject(store)
  await run(project)
  deps.memory.justNow = () => true
  await takeJobsBack(deps, { ...EXIT, code: null, signal: 'SIGKILL', reason: 'was ended by SIGKILL' })
  assert.equal(project.read().internals.write!.deaths.length, 1)
})

test('a project that is gone, and a job that is, do not keep the others from going back', async (t) => {
  const { store, deps, events, run } = await openCase(t)
  const [gone, stays] = [await createProject(store), await createProject(store)]
  await run(gone)
  await run(stays)
  await gone.append({ type: 'cancelled' })
  await store.remove(gone.id)
  await takeJobsBack(deps, EXIT)
  assert.equal(stays.read().internals.write!.alone, true)
  assert.ok(events.includes(`back ${stays.id}-1 while queued`))
})

test('the end of Redis or the scheduler, and a start that failed, concern no jobs', async (t) => {
  const { deps, events } = await openCase(t)
  for (const exit of [{ name: 'redis' }, { name: 'scheduler' }, { pid: null }])
    await takeJobsBack(deps, { ...EXIT, ...exit })
  assert.deepEqual(events, [])
})

test('jobs are known by pid, for names change while a process is replaced; what a stage sends in their place is ignored', () => {
  const held = createHeldJobs()
  const about = { projectId: 'p', owner: 'operator', taskId: 'p-1', stage: 'write', since: '' }
  const job: HeldJob = { ...about, queue: 'llm', token: '1.x', running: true, limit: { seconds: 9, atMs: 8 } }
  held.note({ pid: 1 }, { type: 'held', jobs: [job] })
  held.note({ pid: 2 }, { type: 'held', jobs: [] })
  held.note({ pid: 1 }, { type: 'last_words', taskId: 'p-1' })
  held.note({ pid: 1 }, { type: 'something else' })
  const lies = [
    5,
    null,
    { ...job },
    [null],
    [5],
    [{}],
    [{ ...job, queue: 'moon' }],
    [{ ...job, queue: ['llm'] }],
    [job, { ...job, limit: 9 }],
  ]
  for (const jobs of [...lies, [{ ...job, since: 1 }], [{ ...job, running: 'yes' }], undefined])
    held.note({ pid: 1 }, { type: 'held', jobs })
  for (const taskId of [5, null, {}, '', undefined]) held.note({ pid: 1 }, { type: 'last_words', taskId })
  assert.deepEqual([held.of(1), held.of(2), held.of(null), held.all()], [[job], [], [], [job]])
  assert.deepEqual(held.bury(1), { jobs: [job], lastTask: 'p-1' })
  assert.deepEqual(held.bury(1), { jobs: [], lastTask: null })
})

test('while everything stops nobody is told that the work goes on elsewhere', async (t) => {
  const { store, deps, run } = await openCase(t)
  const killed = { ...EXIT, wanted: false, code: null, signal: 'SIGKILL', reason: 'was ended by SIGKILL' }
  const told = async (phase: DeadWorkerDeps['phase']) => {
    const types: string[] = []
    await run(await createProject(store))
    await takeJobsBack({ ...deps, onFact: ({ type }) => void types.push(type), phase }, killed)
    return types
  }
  assert.deepEqual(await told('stopping'), [])
  assert.deepEqual(await told('running'), ['jobs_taken_back'])
})

test('what a killed attempt of a stage that has ended left in its folder is removed, and of a living one nothing', async (t) => {
  const { store, deps, run } = await openCase(t)
  const [ended, taken] = [await createProject(store), await createProject(store)]
  const dead = await run(ended)
  await dead.fail({ code: 'poison', message: 'write ended its worker twice' }, null)
  await run(taken)
  const living = await begin(taken, 'write', { ...ALIVE, token: 'another' })
  for (const { work } of [dead, living]) await mkdir(work, { recursive: true })
  const temp = tempPath(ended.paths.state).replace(`.${process.pid}.`, `.${DEAD}.`)
  await writeFile(temp, '')
  await takeJobsBack(deps, { ...EXIT, code: null, signal: 'SIGKILL', reason: 'was ended by SIGKILL' })
  await until(() => !existsSync(dead.work) && !existsSync(temp), { timeoutMs: 5_000 })
  assert.equal(existsSync(living.work), true)
})
