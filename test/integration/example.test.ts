/** The pipeline that the README shows does what the README says. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createInstallation } from '../helpers/installation.ts'
import { tempFolder } from '../helpers/temp.ts'

const README = join(import.meta.dirname, '../../README.md')

async function readExample(): Promise<string> {
  const text = await readFile(README, 'utf8')
  const found = /<!-- example -->\n```ts\n([\s\S]*?)```\n<!-- \/example -->/.exec(text)
  assert.ok(found, 'the README holds the example')
  return found[1]!
}

test("the README's pipeline runs as it stands, and refuses what it says it refuses", async (t) => {
  const folder = await tempFolder(t)
  await writeFile(join(folder, 'hello.ts'), await readExample())
  const installation = await createInstallation(t, { env: { PIPELINES_DIR: folder } })
  const { api } = await installation.start()
  await assert.rejects(api.projects.create({ pipeline: 'hello', input: { text: '' } }), { code: 'invalid_value' })
  const { id } = await api.projects.create({ pipeline: 'hello', input: { text: 'to be or not' } })
  const project = await api.waitFor(id, { timeoutMs: 60_000 })
  assert.equal(project.status, 'completed')
  assert.deepEqual(
    project.stages.map((s) => s.result),
    [{ count: 4 }, { kept: 'count.txt' }],
  )
  assert.equal(await new Response((await api.projects.artifact(id, 'count.txt')).stream).text(), '4')
  const seen: string[] = []
  for await (const message of api.events(id, { signal: AbortSignal.timeout(30_000) }))
    if (message.type === 'done' && message.stage === 'shout') seen.push(message.full_text)
  assert.deepEqual(seen, ['TO BE OR NOT '])
})
