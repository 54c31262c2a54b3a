import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
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
