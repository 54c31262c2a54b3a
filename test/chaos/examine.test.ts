/** The verdict on a data folder finds what is torn, lost, doubled or left on the disk, and nothing in a good one. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Expectation } from '../../src/chaos/audit.ts'
import type { Casualties } from '../../src/chaos/casualties.ts'
import { noteEffect, readEffects } from '../../src/chaos/effects.ts'
import { examine, lockFindings } from '../../src/chaos/examine.ts'
import { acquireLock } from '../../src/lib/lock.ts'
import { begin, createProject, NO_CREDIT, openStore, STAGES } from '../helpers/projects.ts'

const COMPLETED: Expectation = { ends: 'completed', steps: null }

/** A completed project with one file, and what is found after `damage`. */
async function damaged(t: TestContext, damage: (paths: Paths) => unknown = () => {}, casualties?: Casualties) {
  const { store, project } = await completedProject(t)
  const effects = join(store.layout.root, 'effects.ndjson')
  const artifact = join(project.paths.artifacts, project.read().state.artifacts[0]!.file)
  await damage({ ...project.paths, artifact, projects: store.layout.projects, effects })
  return examine({ layout: store.layout, effects, expected: new Map([[project.id, COMPLETED]]), casualties })
}

type Paths = { journal: string; state: string; marker: string; artifact: string; projects: string; effects: string }

async function completedProject(t: TestContext) {
  const store = await openStore(t)
  const project = await createProject(store)
  for (const { name } of STAGES) {
    const attempt = await begin(project, name)
    if (name === 'write') await attempt.putArtifact('text.txt', { data: 'a text' }, 'text/plain')
    await attempt.complete({ result: name, text: null, credit: NO_CREDIT })
  }
  return { store, project }
}

const kindsAfter = async (t: TestContext, damage: (paths: Paths) => unknown, casualties?: Casualties) =>
  (await damaged(t, damage, casualties)).findings.map(({ kind }) => kind)

test('a completed project has no findings', async (t) => {
  const { findings, projects, repeated, histories } = await damaged(t)
  assert.deepEqual([findings, projects, repeated, histories[0]?.attempts.length], [[], 1, null, 2])
})

test('a torn or stale state file is found', async (t) => {
  assert.deepEqual(await kindsAfter(t, ({ state }) => truncateSync(state, 200)), ['torn'])
  assert.deepEqual(await kindsAfter(t, ({ state }) => rmSync(state)), ['torn'])
  const change = ({ state }: Paths) =>
    writeFileSync(state, readFileSync(state, 'utf8').replace('"progress": 100', '"progress": 99'))
  assert.deepEqual(await kindsAfter(t, change), ['torn'])
})

test('a torn line of the journal is found, and a lost last line as the lost end', async (t) => {
  const tear = ({ journal }: Paths) => appendFileSync(journal, '\n{"at":"2026-01-01T00:00:00.000Z","type":"pro\n')
  assert.deepEqual(await kindsAfter(t, tear), ['torn'])
  const cut = ({ journal }: Paths) => truncateSync(journal, readFileSync(journal).length - 100)
  assert.deepEqual((await kindsAfter(t, cut)).sort(), ['lost', 'torn', 'torn'])
})

test('a torn line is the design when a writer was killed, but no more lines than writers', async (t) => {
  const tear =
    (lines: number) =>
    ({ journal }: Paths) =>
      appendFileSync(journal, '\n{"at":"2026-01-01T00:00:00.000Z","type":"pro\n'.repeat(lines))
  const killed = { writers: 1, writersSince: 1, lastStartMs: 0 }
  assert.deepEqual(await kindsAfter(t, tear(1), killed), [])
  assert.deepEqual(await kindsAfter(t, tear(2), killed), ['torn'])
})

test('the file of an interrupted write is left, unless somebody was killed since the last start', async (t) => {
  const interrupt = ({ state }: Paths) =>
    writeFileSync(join(dirname(state), '.project_state.json.71.0123abcd.tmp'), '{')
  const { findings } = await damaged(t, interrupt)
  assert.match(findings[0]!.text, /^the file projects\/.*\/\.project_state\.json\.71\.0123abcd\.tmp of a write/)
  assert.equal(findings[0]!.kind, 'left')
  assert.deepEqual(
    await kindsAfter(t, interrupt, { writers: 1, writersSince: 1, lastStartMs: Date.now() - 60_000 }),
    [],
  )
  assert.deepEqual(await kindsAfter(t, interrupt, { writers: 1, writersSince: 0, lastStartMs: 0 }), ['left'])
  const later = { writers: 2, writersSince: 1, lastStartMs: Date.now() + 60_000 }
  assert.deepEqual(await kindsAfter(t, interrupt, later), ['left'], 'the last start should have removed it')
})

test('a file with other bytes is torn, a missing one is lost', async (t) => {
  assert.deepEqual(await kindsAfter(t, ({ artifact }) => writeFileSync(artifact, 'b text')), ['torn'])
  assert.deepEqual(await kindsAfter(t, ({ artifact }) => rmSync(artifact)), ['lost'])
})

test('a project that was accepted and is gone is lost', async (t) => {
  assert.deepEqual(await kindsAfter(t, ({ projects }) => rmSync(projects, { recursive: true })), ['lost'])
})

test('a project that nobody was told of is doubled, a marker of an ended one is left', async (t) => {
  const { store, project } = await completedProject(t)
  writeFileSync(project.paths.marker, '')
  const { findings } = await examine({
    layout: store.layout,
    effects: join(store.layout.root, 'none'),
    expected: new Map(),
  })
  assert.deepEqual(findings.map(({ kind }) => kind).sort(), ['doubled', 'left'])
})

test('effects are counted, and lines that are none are ignored', async (t) => {
  const { findings, repeated } = await damaged(t, ({ effects }) => {
    for (const attempt of [1, 2]) noteEffect(effects, { project: 'another', stage: 'a', step: 's', attempt })
    appendFileSync(effects, 'a line of somebody else\n{"torn":')
    assert.equal(readEffects(effects).length, 2)
  })
  assert.deepEqual([findings, repeated], [[], 1])
})

test('a held lock and a port that answers are left', async (t) => {
  const { layout } = await openStore(t)
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const lock = await acquireLock(layout.lock)
  const held = await lockFindings(layout, url)
  assert.deepEqual(
    held.map(({ kind, text }) => [kind, text]),
    [
      ['left', 'the lock on the data folder'],
      ['left', `somebody who listens at ${url}`],
    ],
  )
  lock?.release()
  server.close()
  await new Promise((resolve) => server.once('close', resolve))
  assert.deepEqual(await lockFindings(layout, url), [])
})
