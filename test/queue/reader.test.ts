/** What is read of a project of which something is lost. */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { artifactPath } from '../../src/project/artifacts.ts'
import { createReader } from '../../src/queue/reader.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('a streamed text whose file is lost is no text, and a result none', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const [text, result] = ['t'.repeat(20_000), 'r'.repeat(20_000)]
  await (await begin(project, 'write')).complete({ result, text, credit: NO_CREDIT })
  await (await begin(project, 'draw')).complete({ result: null, text: 'short', credit: NO_CREDIT })
  const reader = createReader(store, {} as never)
  assert.deepEqual(await reader.texts(project.id), { write: text, draw: 'short' })
  for (const name of ['write.text.json', 'write.result.json'])
    await rm(artifactPath(project.paths, project.read(), name))
  assert.deepEqual(await reader.texts(project.id), { draw: 'short' })
  assert.equal((await reader.read(project.id))?.stages[0]?.result, null)
})
