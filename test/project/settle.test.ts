/** Before a process ends, what it writes is written: a half-written state file would stay. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { createProject, openStore } from '../helpers/projects.ts'

test('a store that has settled has written what was under way', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const written: string[] = []
  void project.refresh().then(() => written.push('first'))
  void project.refresh().then(() => written.push('second'))
  await store.settle()
  assert.deepEqual(written, ['first', 'second'])
  assert.deepEqual(
    readdirSync(project.paths.folder).filter((name) => name.endsWith('.tmp')),
    [],
  )
})
