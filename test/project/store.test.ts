import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createProjectStore } from '../../src/project/store.ts'
import { begin, createProject, NO_CREDIT, openStore, STAGES } from '../helpers/projects.ts'

test('a project is its folder: state file, journal, marker', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const { state } = project.read()
  assert.deepEqual(JSON.parse(readFileSync(project.paths.state, 'utf8')), state)
  assert.deepEqual(await store.openIds(), [project.id])
  const again = await createProjectStore(store.layout).open(project.id)
  assert.deepEqual(again.read(), project.read())
})

test('creating the same id twice makes one project', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const request = {
    id: project.id,
    pipeline: 'p',
    title: 'other',
    owner: 'operator',
    input: 1,
    stages: STAGES,
    autostart: true,
  }
  const twin = await createProjectStore(store.layout).create(request)
  assert.equal(twin.read().state.title, 'A title')
})

test('an input over 16 KB lies in a file of its own', async (t) => {
  const store = await openStore(t)
  const input = { text: 'ä'.repeat(9_000) }
  const project = await createProject(store, input)
  assert.equal(project.read().state.input, null)
  assert.equal(project.read().state.input_file, 'input/input.json')
  assert.deepEqual(await project.input(), input)
})

test('the marker goes when the project ends and comes back when it is reopened', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await project.append({ type: 'cancelled' })
  assert.deepEqual(await store.openIds(), [])
  await project.append({ type: 'reopened' })
  assert.deepEqual(await store.openIds(), [project.id])
})

test('a lost journal begins anew from the state file; a broken state file is written again', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  await attempt.complete({ result: { words: 3 }, text: null, credit: NO_CREDIT })
  rmSync(project.paths.journal)
  const found = await createProjectStore(store.layout).open(project.id)
  assert.equal(found.read().state.stages[0]!.status, 'completed')
  assert.deepEqual(found.read().state.stages[0]!.result, { words: 3 })
  writeFileSync(project.paths.state, '{ broken')
  await found.refresh()
  assert.equal(JSON.parse(readFileSync(project.paths.state, 'utf8')).id, project.id)
})

test('without journal and state file there is no project, and no id leaves the folder', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  rmSync(project.paths.journal)
  writeFileSync(project.paths.state, 'null')
  const fresh = createProjectStore(store.layout)
  await assert.rejects(fresh.open(project.id), { code: 'not_found' })
  for (const id of ['..', '../x', 'a/b', '', '.hidden', 'x'.repeat(65)])
    await assert.rejects(fresh.open(id), { code: 'not_found' })
})

test('removing a project leaves nothing of it', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await store.remove(project.id)
  assert.equal(existsSync(project.paths.folder), false)
  assert.deepEqual(await store.openIds(), [])
  await assert.rejects(store.open(project.id), { code: 'not_found' })
})

test('a marker without a project stays while it may be under creation', async (t) => {
  const store = await openStore(t)
  await createProject(store)
  writeFileSync(join(store.layout.open, 'half-made'), '')
  await store.closeMarker('half-made')
  assert.ok(readdirSync(store.layout.open).includes('half-made'))
})
