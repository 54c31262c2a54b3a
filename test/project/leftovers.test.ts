/** What a kill leaves at its worst moments is removed, and nothing that counts. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findInterrupted } from '../../src/launch/resume.ts'
import { removeTemps, tempPath } from '../../src/lib/files.ts'
import type { Attempt } from '../../src/project/attempt.ts'
import { cleanDataFolder, cleanOpenProjects } from '../../src/project/leftovers.ts'
import { createProjectStore, type Project } from '../../src/project/store.ts'
import { refuseRemovals } from '../helpers/failing-files.ts'
import { begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('at a start the folders of open projects hold what counts, and nothing else', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  const { file } = await attempt.putArtifact('a.txt', { data: 'kept' }, 'text/plain')
  await leaveLitter(project)
  await findInterrupted({ layout: store.layout, resume: 'auto' })
  assert.deepEqual(await namesIn(project), ['artifacts', 'calls', 'journal.ndjson', 'project_state.json'])
  assert.deepEqual(await readdir(project.paths.artifacts), [file])
  assert.deepEqual(await readdir(join(project.paths.folder, 'calls')), ['answer.raw'])
})

test('ended projects are not looked at: a start costs nothing for them', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await project.append({ type: 'cancelled' })
  const before = await leaveLitter(project)
  await cleanOpenProjects(store, () => true)
  assert.deepEqual(await namesIn(project), before)
})

test('files are kept while a damaged line of the journal could be the one that names them', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await writeFile(project.paths.journal, '\n{"torn\n', { flag: 'a' })
  await writeFile(join(project.paths.artifacts, 'b.0123456789ab.txt'), '')
  await cleanOpenProjects(createProjectStore(store.layout), () => true)
  assert.deepEqual(await readdir(project.paths.artifacts), ['b.0123456789ab.txt'])
})

test("temp files are known by their names, and a living process's are left to it", async (t) => {
  const { layout } = await openStore(t)
  await mkdir(layout.redis, { recursive: true })
  const mine = tempPath(join(layout.root, 'run.json'))
  for (const path of [mine, tempPath(join(layout.redis, 'redis.conf')), join(layout.root, '.keep.tmp')])
    await writeFile(path, '')
  await removeTemps(layout.root, (pid) => pid !== process.pid)
  assert.equal((await readdir(layout.root)).length, 3)
  await cleanDataFolder(layout)
  assert.deepEqual((await readdir(layout.root)).sort(), ['.keep.tmp', 'redis'])
  assert.deepEqual(await readdir(layout.redis), [])
})

test('the marker of an ended project goes together with the temp file of the process that could not remove it', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  await project.append({ type: 'cancelled' })
  await writeFile(project.paths.marker, '')
  const temp = tempPath(project.paths.state).replace(`.${process.pid}.`, '.4000001.')
  await writeFile(temp, '')
  await store.closeMarker(project.id)
  assert.deepEqual(await store.openIds(), [])
  assert.deepEqual(await namesIn(project), ['artifacts', 'journal.ndjson', 'project_state.json'])
})

test('a stage that completes has left its folder before the record that may be the last', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  for (const stage of ['write', 'draw']) {
    const attempt = await begin(project, stage)
    await mkdir(attempt.work, { recursive: true })
    await attempt.complete({ result: 'x'.repeat(20_000), text: null, credit: NO_CREDIT }) // and then all are killed
  }
  assert.deepEqual([await readdir(project.paths.work), await store.openIds()], [[], []])
})

test('the folder of a cancelled attempt keeps the marker, so that it is found when all are killed', async (t) => {
  const store = await openStore(t)
  const [looked, started] = [await createProject(store), await createProject(store)]
  for (const project of [looked, started]) {
    const attempt = await begin(project, 'write')
    await mkdir(attempt.work, { recursive: true })
    await project.append({ type: 'cancelled' })
  }
  assert.deepEqual((await store.openIds()).toSorted(), [looked.id, started.id].toSorted())
  await store.closeMarker(looked.id)
  assert.deepEqual([await readdir(looked.paths.work), await store.openIds()], [[], [started.id]])
  await cleanOpenProjects(createProjectStore(store.layout), () => true)
  await store.closeMarker(started.id)
  assert.deepEqual([(await namesIn(started)).includes('work'), await store.openIds()], [false, []])
})

test('an attempt that began while an ended project is cleaned keeps its folder', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const old = await begin(project, 'write')
  await mkdir(old.work, { recursive: true })
  await project.append({ type: 'cancelled' })
  const { refresh } = project
  let next: Attempt | undefined
  project.refresh = async () => {
    await refresh()
    await project.append({ type: 'reopened' }) // between the look and the removal
    next = await begin(project, 'write')
    await mkdir(next.work, { recursive: true })
  }
  await store.closeMarker(project.id)
  assert.ok(existsSync(next!.work))
  assert.deepEqual(await store.openIds(), [project.id])
})

test('while a program still writes into the folder the marker stays, but not for ever', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const { work } = await begin(project, 'write')
  await mkdir(work, { recursive: true })
  await project.append({ type: 'cancelled' })
  refuseRemovals(t, work)
  await store.closeMarker(project.id)
  assert.deepEqual(await store.openIds(), [project.id])
  await utimes(project.paths.work, 0, 0)
  await store.closeMarker(project.id)
  assert.deepEqual(await store.openIds(), [])
})

/** Gives the names of what lies in the project's folder then. */
async function leaveLitter(project: Project): Promise<string[]> {
  const { folder, work, state, artifacts } = project.paths
  await mkdir(join(work, 'write.01234567'), { recursive: true })
  await mkdir(join(folder, 'calls'), { recursive: true })
  const raw = join(folder, 'calls', 'answer.raw')
  const unnamed = join(artifacts, 'b.0123456789ab.txt')
  for (const path of [tempPath(state), raw, tempPath(raw), unnamed, join(work, 'write.01234567', 'frame-1.png')])
    await writeFile(path, '')
  return namesIn(project)
}

async function namesIn({ paths }: Project): Promise<string[]> {
  return (await readdir(paths.folder)).sort()
}
