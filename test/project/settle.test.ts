/** Before a process ends, what it writes is written: a half-written state file would stay. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createProject, openStore } from '../helpers/projects.ts'

test('a store that has settled has no file under way, and begins none by itself', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const temps = () => readdirSync(project.paths.folder).filter((name) => name.endsWith('.tmp'))
  const refreshed = project.refresh()
  await until(() => temps().length > 0, { timeoutMs: 5_000, everyMs: 0, what: 'the write to begin' })
  void project.refresh() // shares the one after it
  await store.settle()
  assert.deepEqual(temps(), [])
  await refreshed
})
