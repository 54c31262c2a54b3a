/** What one look at all open projects does for each, whatever is the matter with another. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, rmdir, utimes } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { AppError } from '../../src/lib/errors.ts'
import type { Log } from '../../src/lib/log.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Project } from '../../src/project/store.ts'
import type { Dispatcher } from '../../src/queue/dispatcher.ts'
import type { WakeUp } from '../../src/queue/job.ts'
import type { PlanFacts } from '../../src/queue/plan.ts'
import { type ReconcileDeps, reconcile, type Troubles } from '../../src/queue/reconcile.ts'
import { begin, createProject, openStore } from '../helpers/projects.ts'

const FAULTS: [words: string, fault: (project: Project) => Project][] = [
  ['written', (project) => ({ ...project, append: () => Promise.reject(refusal()) })],
  [
    'read',
    (project) => ({
      ...project,
      read() {
        throw refusal()
      },
    }),
  ],
]

for (const [words, fault] of FAULTS)
  test(`a project that cannot be ${words} keeps no other waiting, and is spoken of once`, async (t) => {
    const { store, deps, added, warnings } = await openCase(t)
    const projects = await Promise.all([1, 2, 3].map(() => createProject(store)))
    const [bad] = (await store.openIds()) as [string]
    const open = store.open.bind(store)
    let isBad = true
    store.open = async (id) => (id === bad && isBad ? fault(await open(id)) : open(id))
    const troubles: Troubles = new Map()
    for (let look = 0; look < 3; look++) await reconcile(deps, troubles)
    const others = projects.map(({ id }) => id).filter((id) => id !== bad)
    assert.deepEqual(added.toSorted(), others.toSorted())
    assert.deepEqual(warnings, [bad])
    isBad = false
    await reconcile(deps, troubles)
    assert.ok(added.includes(bad), 'it goes on when it can')
    assert.equal(troubles.size, 0)
  })

test('a project that is deleted during the look is no trouble', async (t) => {
  const { store, deps, warnings } = await openCase(t)
  const project = await createProject(store)
  const gone = () => Promise.reject(new AppError('not_found', 'No such project'))
  store.open = async () => ({ ...project, append: gone })
  await reconcile(deps)
  assert.deepEqual(warnings, [])
})

test('the job of a worker that may have died just now is left to the supervisor, then taken back', async (t) => {
  const { store, deps, takenBack } = await openCase(t)
  const project = await createProject(store)
  await begin(project, 'write')
  const facts = { ...deps.facts, isHeld: () => false }
  await reconcile({ ...deps, facts, isLeftToSupervisor: () => true })
  assert.deepEqual(takenBack, [])
  await reconcile({ ...deps, facts, isLeftToSupervisor: () => false })
  assert.deepEqual(takenBack, [`${project.id}-1`])
})

test('while the folder of all projects is empty nothing of an open one is removed, and it is said once', async (t) => {
  const { store, deps, warnings, added } = await openCase(t)
  const project = await createProject(store)
  const { marker, published } = project.paths
  const { projects } = store.layout
  await mkdir(published, { recursive: true })
  const longAgo = Date.now() / 1_000 - 3_600
  await utimes(marker, longAgo, longAgo)
  await rename(projects, `${projects}.away`)
  const troubles: Troubles = new Map()
  for (const make of [async () => {}, () => mkdir(projects)]) {
    await make()
    await reconcile(deps, troubles)
  }
  assert.deepEqual([existsSync(marker), existsSync(published), warnings], [true, true, [project.id]])
  await rmdir(projects)
  await rename(`${projects}.away`, projects)
  await reconcile(deps, troubles)
  assert.deepEqual([added, troubles.size], [[project.id], 0])
})

test('a marker whose project is gone while others are there is removed', async (t) => {
  const { store, deps, warnings } = await openCase(t)
  const [gone, other] = await Promise.all([1, 2].map(() => createProject(store)))
  const longAgo = Date.now() / 1_000 - 3_600
  await utimes(gone!.paths.marker, longAgo, longAgo)
  await rm(gone!.paths.folder, { recursive: true })
  await reconcile(deps)
  assert.deepEqual([await store.openIds(), warnings], [[other!.id], []])
})

const refusal = () => Object.assign(new Error(`EACCES: permission denied, open ${Math.random()}`), { code: 'EACCES' })

const FACTS: PlanFacts = { isHeld: () => true, resume: 'auto', nowMs: Date.now, hasRoom: () => false }

/** A queue that says what was added to it and taken back, and a log that says which projects it warned of. */
async function openCase(t: TestContext) {
  const store = await openStore(t)
  const added: string[] = []
  const takenBack: string[] = []
  const warnings: string[] = []
  const dispatcher = {
    missing: async (wakeUps: WakeUp[]) => wakeUps.filter(({ projectId }) => !added.includes(projectId)),
    async enqueue(wakeUps: WakeUp[]) {
      added.push(...wakeUps.map(({ projectId }) => projectId))
      return true
    },
    async takeBack({ taskId }: { taskId: string }) {
      takenBack.push(taskId)
      return true
    },
  } as Partial<Dispatcher> as Dispatcher
  const warn = ({ project_id }: { project_id: string }) => void warnings.push(project_id)
  const log = { ...silentLog, warn } as unknown as Log
  const deps: ReconcileDeps = { store, dispatcher, facts: FACTS, log }
  return { store, deps, added, takenBack, warnings }
}
