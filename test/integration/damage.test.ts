/** Files of a project are torn, deleted or changed by hand: nothing finished is lost that can be saved. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { openJournal } from '../../src/project/journal.ts'
import { projectLayout } from '../../src/project/layout.ts'
import type { ProjectState } from '../../src/project/project.ts'
import { encodeRecord, type JournalRecord } from '../../src/project/records.ts'
import { hashesOf, readState } from '../helpers/soundness.ts'
import { assertVisits, killSupervisor, startProject } from '../helpers/started-project.ts'
import { stageOf, untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

test('torn records anywhere in the journal are skipped, and harm no other record', async (t) => {
  const { layout, paths, gates, id } = await startProject(t, { mayTear: true, held: ['write-2', 'film-3'] })
  await gates.reached('write-2')
  await appendFile(paths.journal, '\n{"at":"2026-01-01T00:00:00.000Z","type":"completed","stage":"write"') // a short write
  gates.release('write-2')
  await gates.reached('film-3')
  await appendFile(
    paths.journal,
    '\0\0\0\0\n{"type":"cancelled","crc":"00000000"}\n{"type":"cancelled"}\nplain words\n',
  )
  gates.release('film-3')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 1, 1],
  )
  assertVisits(gates)
})

test('a whole record that this version does not understand is skipped; lists and status go on', async (t) => {
  const { instance, layout, paths, gates, id } = await startProject(t, { mayTear: true, held: ['write-2'] })
  const { fence } = openJournal(paths.journal).read().internals.write!
  const alien = { at: new Date().toISOString(), type: 'completed', stage: 'write', fence } as unknown as JournalRecord
  await appendFile(paths.journal, encodeRecord(alien))
  await appendFile(paths.journal, encodeRecord({ ...alien, type: 'of tomorrow' } as unknown as JournalRecord))
  await untilHealthy(instance)
  assert.equal((await instance.api.projects.list()).items[0]?.status, 'running')
  gates.release('write-2')
  await untilStatus({ layout, id }, 'completed')
  assertVisits(gates)
})

test('project_state.json deleted or changed by hand while it runs: no answer comes from it, and it is put right', async (t) => {
  const { instance, layout, paths, gates, id } = await startProject(t, { held: ['write-2', 'film-2'] })
  await gates.reached('write-2')
  await rm(paths.state)
  assert.equal((await instance.api.projects.get(id)).status, 'running')
  gates.release('write-2')
  await gates.reached('film-2')
  await until(() => existsSync(paths.state), { timeoutMs: 20_000 })
  await writeFile(paths.state, '{"status": "completed", "stages": [}')
  assert.equal((await instance.api.projects.get(id)).status, 'running')
  gates.release('film-2')
  await untilStatus({ layout, id }, 'completed')
  const probe = async () =>
    (await readFile(paths.state, 'utf8')
      .then(JSON.parse)
      .catch(() => null)) as ProjectState | null
  await until(async () => (await probe())?.status === 'completed', { timeoutMs: 20_000 })
})

test('a journal that was deleted while stopped is begun anew from project_state.json', async (t) => {
  const { installation, instance, layout, paths, gates, id } = await startProject(t, { held: ['film-2'] })
  await gates.reached('film-2')
  instance.signal('SIGTERM')
  await until(() => instance.facts('stopping').length > 0, { timeoutMs: 20_000 })
  gates.release('film-2')
  assert.equal((await instance.ended(20_000)).code, 0)
  const before = readState(layout, id)
  const files = await hashesOf(layout, before)
  await rm(paths.journal)
  await installation.start()
  await until(() => existsSync(paths.journal), { timeoutMs: 20_000, what: 'the journal to be begun anew' })
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(stageOf(end, 'write'), stageOf(before, 'write'))
  assert.deepEqual(stageOf(end, 'film').steps.slice(0, 2), stageOf(before, 'film').steps)
  assert.deepEqual({ ...(await hashesOf(layout, end)), ...files }, await hashesOf(layout, end))
  assertVisits(gates)
})

test('a deleted file of a completed project: resume does its stage again, and only that step', async (t) => {
  const { instance, layout, paths, gates, id } = await startProject(t)
  const before = await untilStatus({ layout, id }, 'completed')
  await assert.rejects(instance.api.projects.resume(id), { code: 'wrong_state' }, 'there is nothing to do yet')
  await rm(fileOf(before, paths.artifacts, 'film-2.txt'))
  await assert.rejects(instance.api.projects.artifact(id, 'film-2.txt'), { code: 'artifact_missing' })
  await instance.api.projects.resume(id)
  const end = await untilState({ layout, id }, (s) => s.status === 'completed' && stageOf(s, 'film').attempts === 2)
  assert.equal((await instance.api.projects.artifact(id, 'film-2.txt')).status, 200)
  assertVisits(gates, { 'film-2': 2 })
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 2, 1],
  )
})

test('a deleted file of an earlier stage while the project waits for a later one: it is made again first', async (t) => {
  const { installation, instance, layout, paths, gates, id } = await startProject(t, {
    mayTear: true,
    held: ['film-2'],
  })
  await gates.reached('film-2')
  await rm(fileOf(readState(layout, id), paths.artifacts, 'write-1.txt'))
  await killSupervisor(installation, instance)
  gates.release('film-2')
  await installation.start()
  const end = await untilStatus({ layout, id }, 'completed')
  assert.equal(stageOf(end, 'write').attempts, 2)
  assert.equal(gates.visits('write-1'), 2)
  assert.equal(gates.visits('write-2'), 1)
})

test('delete: refused while it runs, then folder, marker and list entry are gone', async (t) => {
  const { installation, instance, layout, paths, gates, id } = await startProject(t, { held: ['write-1'] })
  await gates.reached('write-1')
  await assert.rejects(instance.api.projects.remove(id), { code: 'wrong_state' })
  await instance.api.projects.cancel(id)
  await instance.api.projects.remove(id)
  await assert.rejects(instance.api.projects.get(id), { code: 'not_found' })
  assert.deepEqual((await instance.api.projects.list()).items, [])
  assert.ok(!existsSync(paths.folder) && !existsSync(paths.marker))
  instance.signal('SIGTERM')
  await instance.ended(20_000)
  const again = await installation.start()
  assert.deepEqual((await again.api.projects.list()).items, [])
  assert.ok(!existsSync(projectLayout(layout, id).folder))
})

function fileOf(state: ProjectState, folder: string, name: string): string {
  return join(folder, state.artifacts.find((a) => a.name === name)!.file)
}
