import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findInterrupted, noteInterrupted } from '../../src/launch/resume.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import type { Project } from '../../src/project/store.ts'
import { advance, type PlanFacts, queueStage, wakeUpFor } from '../../src/queue/plan.ts'
import { ALIVE, begin, createProject, NO_CREDIT, openStore, STAGES } from '../helpers/projects.ts'

test('after a stop every state file is the fold of its journal, whoever was killed before it could write it', async (t) => {
  const store = await openStore(t)
  const [open, ended, current] = await Promise.all([1, 2, 3].map(() => createProject(store)))
  for (const project of [open!, ended!, current!]) {
    const old = readFileSync(project.paths.state)
    const attempt = await begin(project, 'write')
    await attempt.release('interrupted')
    if (project === ended) await project.append({ type: 'cancelled' })
    if (project === ended) writeFileSync(project.paths.marker, '') // it was killed before it could take it away
    if (project !== current) writeFileSync(project.paths.state, old)
  }
  await noteInterrupted(store.layout)
  for (const project of [open!, ended!, current!]) {
    const { state } = project.read()
    assert.deepEqual(JSON.parse(readFileSync(project.paths.state, 'utf8')), JSON.parse(JSON.stringify(state)))
  }
  assert.deepEqual((await store.openIds()).toSorted(), [open!.id, current!.id].toSorted(), 'an ended one is not open')
})

test('a stop that is out of time leaves the rest to the next start', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await begin(project, 'write')
  const before = readFileSync(project.paths.state)
  await noteInterrupted(store.layout, AbortSignal.abort())
  assert.deepEqual(readFileSync(project.paths.state), before)
  assert.equal(project.read().state.stages.find(({ name }) => name === 'write')?.status, 'running')
})

test('a project that cannot be read or written keeps no other from being set aside, and stops no boot', async (t) => {
  const store = await openStore(t)
  const [deaf, mute, sound] = await Promise.all([1, 2, 3].map(() => createProject(store)))
  for (const project of [deaf!, mute!, sound!]) await begin(project, 'write', { ...ALIVE, pid: DEAD })
  for (const path of [deaf!.paths.journal, mute!.paths.state]) {
    await rm(path)
    await mkdir(join(path, 'in the way'), { recursive: true })
  }
  const found = await findInterrupted({ layout: store.layout, resume: 'off' })
  assert.deepEqual(found.map(({ id }) => id).toSorted(), [mute!.id, sound!.id].toSorted())
  assert.equal(sound!.read().state.reason, 'interrupted')
  await noteInterrupted(store.layout)
  const { status } = JSON.parse(readFileSync(sound!.paths.state, 'utf8'))
  assert.equal(status, 'waiting')
})

const DEAD = 4_000_001

test('with RESUME=off all of an earlier run is set aside until resume, whatever it waited for; a stop leaves what is queued', async (t) => {
  const store = await openStore(t)
  const cases: Record<string, (project: Project) => Promise<unknown>> = {
    queued: (project) => queueStage(project, 'write', true),
    retrying: async (project) => (await beginDead(project)).fail({ code: 'busy', message: 'busy' }, LATER),
    deferred: async (project) => (await beginDead(project)).defer(LATER, { code: 'busy', message: 'busy' }),
    crashed: async (project) => {
      const { fence } = await beginDead(project)
      const exit = { worker: 'io-1', reason: 'exited with code 3', at: LATER }
      await project.append({ type: 'crashed', stage: 'write', fence, exit, charged: true })
    },
    parked: async (project) => (await beginDead(project)).release('quota', { until: LATER }),
    between: async (project) => (await beginDead(project)).complete({ result: 1, text: null, credit: NO_CREDIT }),
    created: async () => {},
    running: (project) => beginDead(project),
  }
  const made = new Map<string, Project>()
  for (const [name, make] of Object.entries(cases)) {
    const project = await createProject(store)
    await make(project)
    made.set(name, project)
  }
  const byHand = await store.create({
    id: uuidv7(),
    pipeline: 'p',
    title: '',
    owner: 'operator',
    input: {},
    stages: STAGES,
    autostart: false,
  })
  const before = made.get('queued')!.read().state
  await noteInterrupted(store.layout)
  assert.deepEqual(made.get('queued')!.read().state, before)
  const found = await findInterrupted({ layout: store.layout, resume: 'off' })
  assert.deepEqual(found.map(({ id }) => id).toSorted(), [...made.values()].map(({ id }) => id).toSorted())
  for (const [name, project] of made) {
    const { status, reason } = project.read().state
    assert.deepEqual([status, reason], ['waiting', 'interrupted'], name)
    assert.equal(wakeUpFor(project, FACTS) ?? (await advance(project)), undefined, name)
    await project.append({ type: 'reopened' })
    const next = await advance(project)
    assert.deepEqual([next?.stage, next?.dueMs], [name === 'between' ? 'draw' : 'write', 0], name)
  }
  assert.deepEqual(attemptsOf(made.get('queued')!), [0, 0], 'what had not begun has no start to its name')
  assert.deepEqual(attemptsOf(made.get('retrying')!), [1, 0])
  assert.equal(byHand.read().state.status, 'pending')
})

test('RESUME=auto leaves what is queued as it is', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await queueStage(project, 'write', true)
  assert.deepEqual(await findInterrupted({ layout: store.layout, resume: 'auto' }), [])
  assert.equal(project.read().state.status, 'queued')
})

const LATER = new Date(Date.now() + 3_600_000).toISOString()
const FACTS: PlanFacts = { isHeld: () => false, resume: 'off', nowMs: () => Date.parse(LATER) + 1, hasRoom: () => true }

const beginDead = (project: Project) => begin(project, 'write', { ...ALIVE, pid: DEAD })
const attemptsOf = (project: Project) => project.read().state.stages.map(({ attempts }) => attempts)
