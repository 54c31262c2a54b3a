/** Before a process ends, what it writes is written: a half-written state file would stay. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { readStateFile } from '../../src/project/state-file.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

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

test('what is written after that still comes into the state file', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const { fence } = await begin(project, 'write')
  const step = (progress: number) =>
    project.append({ type: 'progress', stage: 'write', fence, progress, message: null })
  await step(10)
  await store.settle() // with a refresh that was planned for later
  const { state } = await step(20)
  const shown = async () => (await readStateFile(project.paths.state))?.revision === state.revision
  await until(shown, { timeoutMs: 5_000, what: 'the state file to follow' })
})
