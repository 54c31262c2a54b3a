import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCatalog } from '../../src/project/catalog.ts'
import { createProjectStore, type ProjectStore } from '../../src/project/store.ts'
import { createProject, openStore } from '../helpers/projects.ts'

async function createMany(store: ProjectStore, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await createProject(store)).id)
  return ids
}

test('newest first, in pages that hold every project once', async (t) => {
  const store = await openStore(t)
  const ids = await createMany(store, 7)
  const catalog = createCatalog(store)
  const seen: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await catalog.list({ limit: 3, cursor })
    seen.push(...page.items.map((s) => s.id))
    if (!page.next_cursor) break
    cursor = page.next_cursor
  }
  assert.deepEqual(seen, ids.toReversed())
})

test('an ended project is known without its folder being read, and after a restart', async (t) => {
  const store = await openStore(t)
  const [first, second] = await createMany(store, 2)
  const catalog = createCatalog(store)
  assert.equal((await catalog.list({ limit: 10 })).items.length, 2)
  await (await store.open(first!)).append({ type: 'cancelled' })
  const { items } = await catalog.list({ limit: 10, status: 'cancelled' })
  assert.deepEqual(
    items.map((s) => s.id),
    [first],
  )
  assert.match(readFileSync(store.layout.catalog, 'utf8'), /cancelled/)
  const restarted = createCatalog(createProjectStore(store.layout))
  assert.deepEqual(
    (await restarted.list({ limit: 10 })).items.map((s) => [s.id, s.status]),
    [
      [second, 'pending'],
      [first, 'cancelled'],
    ],
  )
})

test('changes made while nobody looked are seen: the file is only a memory', async (t) => {
  const store = await openStore(t)
  const [id] = await createMany(store, 1)
  await createCatalog(store).list({ limit: 1 })
  await (await createProjectStore(store.layout).open(id!)).append({ type: 'cancelled' })
  const restarted = createCatalog(createProjectStore(store.layout))
  assert.equal((await restarted.list({ limit: 1 })).items[0]!.status, 'cancelled')
})

test('a lost file is made anew from the folders, and deleted projects do not come back', async (t) => {
  const store = await openStore(t)
  const [gone, kept] = await createMany(store, 2)
  const catalog = createCatalog(store)
  await catalog.list({ limit: 10 })
  await store.remove(gone!)
  await catalog.forget(gone!)
  assert.deepEqual(
    (await catalog.list({ limit: 10 })).items.map((s) => s.id),
    [kept],
  )
  rmSync(store.layout.catalog)
  const anew = createCatalog(createProjectStore(store.layout))
  assert.deepEqual(
    (await anew.list({ limit: 10 })).items.map((s) => s.id),
    [kept],
  )
  assert.deepEqual(await anew.counts(), { pending: 1 })
})

test('filters by owner, pipeline and words', async (t) => {
  const store = await openStore(t)
  await createMany(store, 1)
  const catalog = createCatalog(store)
  const count = async (query: object) => (await catalog.list({ limit: 10, ...query })).items.length
  assert.equal(await count({ owner: 'operator', pipeline: 'p', q: 'TITLE' }), 1)
  assert.equal(await count({ owner: 'somebody' }), 0)
  assert.equal(await count({ pipeline: 'video' }), 0)
  assert.equal(await count({ q: 'nothing' }), 0)
})

test('a project that begins and ends between two looks is there', async (t) => {
  const store = await openStore(t)
  const catalog = createCatalog(store)
  await catalog.list({ limit: 1 })
  const project = await createProject(store)
  catalog.note(project.id)
  await project.append({ type: 'cancelled' })
  assert.deepEqual(
    (await catalog.list({ limit: 1 })).items.map((s) => s.id),
    [project.id],
  )
})

test('what cannot be read keeps nobody out of the list, is said once, and is there when it can be read again', async (t) => {
  const store = await openStore(t)
  const [first, second, third] = await createMany(store, 3)
  const stray = join(store.layout.projects, 'a-stray-file')
  writeFileSync(stray, '')
  const restore = await damage(store, second!)
  const said: unknown[] = []
  const log = { warn: (about: object) => void said.push((about as { project_id: string }).project_id) }
  const catalog = createCatalog(createProjectStore(store.layout), log)
  const ids = async () => (await catalog.list({ limit: 10 })).items.map((s) => [s.id, s.status])
  assert.deepEqual(await ids(), [
    [third, 'pending'],
    [first, 'pending'],
  ])
  await (await store.open(first!)).append({ type: 'cancelled' })
  assert.deepEqual(await catalog.counts(), { pending: 1, cancelled: 1 })
  assert.deepEqual(said.toSorted(), [second, 'a-stray-file'].toSorted())
  await restore()
  assert.deepEqual(await ids(), [
    [third, 'pending'],
    [second, 'pending'],
    [first, 'cancelled'],
  ])
})

test('a project that ends while another one cannot be read is seen to end', async (t) => {
  const store = await openStore(t)
  const [first, second, third] = await createMany(store, 3)
  const catalog = createCatalog(createProjectStore(store.layout))
  await catalog.counts()
  const restore = await damage(store, first!)
  for (const id of [second!, third!]) await (await store.open(id)).append({ type: 'cancelled' })
  assert.deepEqual(await catalog.counts(), { pending: 1, cancelled: 2 }, 'the one that cannot be read stays as it was')
  await restore()
  assert.deepEqual(await catalog.counts(), { pending: 1, cancelled: 2 })
})

test('a list that could not be begun is begun again', async (t) => {
  const store = await openStore(t)
  const [id] = await createMany(store, 1)
  const { projects } = store.layout
  await rename(projects, `${projects}.away`)
  writeFileSync(projects, 'not a folder')
  const catalog = createCatalog(createProjectStore(store.layout))
  await assert.rejects(catalog.counts())
  rmSync(projects)
  await rename(`${projects}.away`, projects)
  assert.deepEqual(
    (await catalog.list({ limit: 10 })).items.map((s) => s.id),
    [id],
  )
})

/** A folder in the place of its journal: whoever may read everything cannot read that. */
async function damage(store: ProjectStore, id: string): Promise<() => Promise<void>> {
  const { journal } = (await store.open(id)).paths
  await rename(journal, `${journal}.away`)
  await mkdir(journal)
  return async () => {
    await rm(journal, { recursive: true })
    await rename(`${journal}.away`, journal)
  }
}
