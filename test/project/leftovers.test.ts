/** What a kill leaves at its worst moments is removed, and nothing that counts. */
import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findInterrupted } from '../../src/launch/resume.ts'
import { removeTemps, tempPath } from '../../src/lib/files.ts'
import { cleanDataFolder, cleanOpenProjects } from '../../src/project/leftovers.ts'
import { createProjectStore, type Project } from '../../src/project/store.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

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
