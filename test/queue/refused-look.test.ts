/** A disk that refuses a look says nothing of a file: what is done stays done, and nobody removes it. */
import assert from 'node:assert/strict'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { artifactPath } from '../../src/project/artifacts.ts'
import type { Catalog } from '../../src/project/catalog.ts'
import { cleanOpenProjects } from '../../src/project/leftovers.ts'
import { createProjectStore } from '../../src/project/store.ts'
import type { Dispatcher } from '../../src/queue/dispatcher.ts'
import { advance, demoteDamaged } from '../../src/queue/plan.ts'
import { createReader } from '../../src/queue/reader.ts'
import { reconcile, type Troubles } from '../../src/queue/reconcile.ts'
import { refuseLooks } from '../helpers/failing-files.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'
import { perform } from '../pipelines/attempt.ts'

for (const code of ['EACCES', 'EIO', 'ESTALE', 'ELOOP'])
  test(`${code}: the project is in trouble, and goes on when the disk tells again`, async (t) => {
    const { store, project } = await openCase(t)
    const refused = refuseLooks(t, project.paths.artifacts, code)
    await assert.rejects(demoteDamaged(project), { code: 'disk' })
    const troubles: Troubles = new Map()
    await look(store, troubles)
    assert.deepEqual([...troubles.keys()], [project.id])
    assert.equal(project.read().state.stages[0]!.status, 'completed')
    refused.end()
    await look(store, troubles)
    assert.equal(troubles.size, 0)
    assert.equal(project.read().state.stages[1]!.status, 'queued')
  })

const DAMAGES: [words: string, damage: (path: string) => Promise<unknown>][] = [
  ['gone', (path) => rm(path)],
  ['of another size', (path) => writeFile(path, 'torn')],
  [
    'in a folder that is none',
    (path) => rm(dirname(path), { recursive: true }).then(() => writeFile(dirname(path), '')),
  ],
]

for (const [words, damage] of DAMAGES)
  test(`a file that is ${words} is made again`, async (t) => {
    const { project } = await openCase(t)
    await damage(artifactPath(project.paths, project.read(), 'film.txt'))
    assert.equal((await advance(project))?.stage, 'write')
  })

test('a stage that cannot look for the files of its steps waits for the disk and buys nothing twice', async (t) => {
  const { project } = await openCase(t)
  let bought = 0
  const run = async ({ step }: { step: (name: string, fn: () => unknown) => Promise<unknown> }) => {
    await step('big', () => `${'x'.repeat(20_000)}${++bought}`)
    throw Object.assign(new Error('busy'), { status: 503 })
  }
  const stage = { name: 'draw', queue: 'image', run }
  await perform(project, run, { stage })
  const refused = refuseLooks(t, '.step.', 'EACCES')
  assert.deepEqual(await perform(project, run, { stage }), { kind: 'released', reason: 'disk' })
  refused.end()
  await perform(project, run, { stage })
  assert.equal(bought, 1)
})

test('files that were looked for in vain are spared at the next start: the disk may be back', async (t) => {
  const { store, project } = await openCase(t)
  const before = await readdir(project.paths.artifacts)
  await rename(project.paths.artifacts, `${project.paths.folder}/away`)
  await mkdir(project.paths.artifacts)
  assert.equal(await demoteDamaged(project), true)
  await rename(`${project.paths.folder}/away`, project.paths.artifacts)
  await cleanOpenProjects(createProjectStore(store.layout), () => true)
  assert.deepEqual(await readdir(project.paths.artifacts), before)
})

test('a value that cannot be read now is not said to be lost', async (t) => {
  const { store, project } = await openCase(t)
  const reader = createReader(store, {} as Catalog)
  const refused = refuseLooks(t, join('artifacts', 'write.result'), 'EACCES')
  await assert.rejects(reader.read(project.id), { code: 'disk' })
  refused.end()
  assert.deepEqual((await reader.read(project.id))?.stages[0]?.result, RESULT)
})

const RESULT = 'r'.repeat(20_000)

/** The first stage has left a file and a large result; the second has not begun. */
async function openCase(t: TestContext) {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  await attempt.putArtifact('film.txt', { data: 'the film' }, 'text/plain')
  await attempt.complete({ result: RESULT, text: null, credit: NO_CREDIT })
  return { store, project }
}

async function look(store: Awaited<ReturnType<typeof openStore>>, troubles: Troubles): Promise<void> {
  const dispatcher = { missing: async () => [] } as Partial<Dispatcher> as Dispatcher
  const facts = { isHeld: () => true, resume: 'auto', nowMs: Date.now, hasRoom: () => false } as const
  await reconcile({ store, dispatcher, facts, log: silentLog }, troubles)
}
