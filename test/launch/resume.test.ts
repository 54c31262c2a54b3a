import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findInterrupted, noteInterrupted } from '../../src/launch/resume.ts'
import { ALIVE, begin, createProject, openStore } from '../helpers/projects.ts'

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
