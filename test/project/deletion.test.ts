/** A deleted project is gone at one moment, and nothing of it stays, whatever still writes and whoever is killed. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createCatalog } from '../../src/project/catalog.ts'
import { createProjectStore, type ProjectStore } from '../../src/project/store.ts'
import { refuseRemovals } from '../helpers/failing-files.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

test('a deletion waits for a cancelled stage that winds down', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  await mkdir(attempt.work, { recursive: true })
  await project.append({ type: 'cancelled' })
  const removing = store.remove(project.id)
  const isGone = () => !existsSync(attempt.work)
  await assert.rejects(until(isGone, { timeoutMs: 300 }), { code: 'timeout' }, 'it can still write there')
  await attempt.dispose()
  await removing
  assert.deepEqual(await leftOf(store), [[], []])
})

test('a project that is begun anew while its deletion waits is kept', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  await mkdir(attempt.work, { recursive: true })
  await project.append({ type: 'cancelled' })
  const refused = assert.rejects(store.remove(project.id), { code: 'wrong_state' })
  await project.append({ type: 'reopened' })
  await begin(project, 'write')
  await attempt.dispose()
  await refused
  assert.equal((await store.open(project.id)).read().state.status, 'running')
})

test('a deletion that ends half-way leaves no project, and the reconciler finishes it', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await project.append({ type: 'cancelled' })
  const { end } = refuseRemovals(t, '.deleted-')
  await store.remove(project.id)
  assert.deepEqual(await leftOf(store), [[`.deleted-${project.id}`], [project.id]])
  const fresh = createProjectStore(store.layout)
  await assert.rejects(fresh.open(project.id), { code: 'not_found' })
  assert.deepEqual((await createCatalog(fresh).list({ limit: 10 })).items, [])
  await fresh.closeMarker(project.id)
  assert.deepEqual(await fresh.openIds(), [project.id], 'it is tried again')
  end()
  await fresh.closeMarker(project.id)
  assert.deepEqual(await leftOf(store), [[], []])
})

test('a record for a project that was deleted meanwhile is refused, and makes no new one', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const other = await createProjectStore(store.layout).open(project.id)
  await store.remove(project.id)
  await assert.rejects(other.append({ type: 'reopened' }), { code: 'not_found' })
  assert.equal(existsSync(project.paths.folder), false)
})

test('what a stage still makes in the folder of a deleted project goes with it', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  rmSync(project.paths.folder, { recursive: true })
  assert.equal(attempt.isCurrent(), false)
  await mkdir(attempt.work, { recursive: true })
  await attempt.dispose()
  assert.equal(existsSync(project.paths.folder), false)
})

/** Names in the folder of projects, and in that of the markers. */
async function leftOf({ layout }: ProjectStore): Promise<string[][]> {
  return Promise.all([layout.projects, layout.open].map((folder) => readdir(folder)))
}
