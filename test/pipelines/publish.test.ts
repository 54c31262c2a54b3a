/** Publishing replaces the whole folder, and clears away what killed attempts have left beside it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { publishFiles } from '../../src/pipelines/publish.ts'
import { refuseRenames } from '../helpers/failing-files.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

test('files are laid under plain names, and replace those that were there', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await attempt.putArtifact('film.txt', { data: 'the film' }, 'text/plain')
  await publishFiles(attempt, [{ name: 'old.txt', data: 'old' }])
  const { folder } = await publishFiles(attempt, [
    { name: 'video.txt', artifact: 'film.txt' },
    { name: 'metadata.json', data: '{}' },
  ])
  assert.equal(folder, project.paths.published)
  assert.deepEqual((await readdir(folder)).sort(), ['metadata.json', 'video.txt'])
  assert.equal(await readFile(join(folder, 'video.txt'), 'utf8'), 'the film')
})

test('what killed attempts have left goes away; other projects are not touched', async (t) => {
  const project = await createProject(await openStore(t))
  const place = project.paths.published
  for (const left of ['.0badcafe.next', '.0badcafe.next.old', '-other']) {
    await mkdir(`${place}${left}`, { recursive: true })
    await writeFile(join(`${place}${left}`, 'video.mp4'), 'half')
  }
  await publishFiles(await begin(project, 'write'), [{ name: 'video.mp4', data: 'whole' }])
  assert.deepEqual((await readdir(dirname(place))).sort(), [project.id, `${project.id}-other`])
  assert.equal(await readFile(join(place, 'video.mp4'), 'utf8'), 'whole')
})

test('a crash between the two renames costs nothing: the old folder is back before anything else is done', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const place = project.paths.published
  await publishFiles(attempt, [{ name: 'video.mp4', data: 'old' }])
  await rename(place, `${place}.0badcafe.next.old`)
  await assert.rejects(publishFiles(attempt, [{ name: 'video.mp4', artifact: 'nothing' }]), { code: 'not_found' })
  assert.equal(await readFile(join(place, 'video.mp4'), 'utf8'), 'old')
  assert.deepEqual(await readdir(dirname(place)), [project.id])
})

test('a new folder that cannot take the place leaves the old one there', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const place = project.paths.published
  await publishFiles(attempt, [{ name: 'video.mp4', data: 'old' }])
  refuseRenames(t, place)
  await assert.rejects(publishFiles(attempt, [{ name: 'video.mp4', data: 'new' }]), { code: 'EIO' })
  assert.equal(await readFile(join(place, 'video.mp4'), 'utf8'), 'old')
  assert.deepEqual(await readdir(dirname(place)), [project.id])
})

test('an attempt that has lost its claim publishes nothing', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await project.append({ type: 'cancelled' })
  await assert.rejects(publishFiles(attempt, [{ name: 'video.mp4', data: 'late' }]), { code: 'superseded' })
  assert.ok(!existsSync(project.paths.published))
})

test('a name that could leave the folder is refused', async (t) => {
  const attempt = await begin(await createProject(await openStore(t)), 'write')
  for (const name of ['../escape', 'a/b', '.hidden', ''])
    await assert.rejects(publishFiles(attempt, [{ name, data: '' }]), { code: 'invalid_value' }, name)
})
