/** Two writers of one project: the one that lost its claim changes nothing, and no record is lost. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../src/lib/until.ts'
import { openJournal } from '../../src/project/journal.ts'
import { projectLayout } from '../../src/project/layout.ts'
import type { ProjectState } from '../../src/project/project.ts'
import { decodeRecord, type JournalRecord } from '../../src/project/records.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation } from '../helpers/installation.ts'
import { createProject, openStore } from '../helpers/projects.ts'
import { hashesOf, readState } from '../helpers/soundness.ts'
import { stageOf, untilHealthy, untilState, untilStatus } from '../helpers/wait.ts'

const WRITER = fileURLToPath(new URL('../fixtures/children/journal-writer.ts', import.meta.url))

test('a worker that was stopped until its claim was taken over changes neither state nor files when it goes on', async (t) => {
  const env = { HANG_KILL_S: '0', WORKERS: 'llm,image,batch_processing,maintenance,health:1 video,ai_analysis:2' }
  const installation = await createInstallation(t, { env })
  const { layout } = installation
  const gates = createGates(t)
  gates.hold('film-2')
  const instance = await installation.start()
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  await gates.reached('film-2')
  const paths = projectLayout(layout, id)
  const zombie = claimsOf(paths.journal, 'film')[0]!
  process.kill(zombie.owner.pid, 'SIGSTOP')
  t.after(() => continueAgain(zombie.owner.pid))
  await untilState({ layout, id, timeoutMs: 90_000 }, (s) => stageOf(s, 'film').attempts === 2)
  await gates.reached('film-2', 2)
  const winner = claimsOf(paths.journal, 'film')[1]!
  assert.equal(winner.supersedes, zombie.fence)
  assert.notEqual(winner.owner.pid, zombie.owner.pid)
  continueAgain(zombie.owner.pid)
  gates.release('film-2')
  const end = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual(
    end.stages.map((s) => s.attempts),
    [1, 2, 1],
  )
  assert.deepEqual([gates.visits('film-2'), gates.visits('film-3')], [2, 1], 'the zombie begins no further step')
  const written = recordsOf(paths.journal).filter((r) => 'fence' in r && r.type !== 'claim' && r.stage === 'film')
  const made = written.filter((r) => r.type === 'artifact' && r.name !== 'film-1.txt')
  assert.ok(
    made.every((r) => 'fence' in r && r.fence === winner.fence),
    'no file of the zombie was recorded',
  )
  const { data } = await instance.api.status()
  assert.ok(
    data.services.worker.workers!.every((w) => w.restarts === 0 && w.ready),
    'the zombie works on as a worker',
  )
})

test('a deaf one that goes on when all is done tries to commit, and is refused', async (t) => {
  const env = { HANG_KILL_S: '0', WORKERS: 'llm,image,batch_processing,maintenance,health:1 video,ai_analysis:2' }
  const installation = await createInstallation(t, { env })
  const { layout } = installation
  const gates = createGates(t)
  gates.hold('film-2')
  const instance = await installation.start()
  const input = { folder: gates.folder, deaf: true }
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input })
  await gates.reached('film-2')
  const paths = projectLayout(layout, id)
  const zombie = claimsOf(paths.journal, 'film')[0]!
  process.kill(zombie.owner.pid, 'SIGSTOP')
  t.after(() => continueAgain(zombie.owner.pid))
  await untilState({ layout, id, timeoutMs: 90_000 }, (s) => stageOf(s, 'film').attempts === 2) // its lease has to end first
  await gates.reached('film-2', 2)
  gates.release('film-2')
  const end = await untilStatus({ layout, id }, 'completed')
  const files = await hashesOf(layout, end)
  continueAgain(zombie.owner.pid)
  const refused = () =>
    instance
      .output()
      .split('\n')
      .some((line) => isSuperseded(line, zombie.owner.worker))
  await until(refused, { timeoutMs: 40_000, what: 'the refusal of what the zombie has made' })
  assert.equal(gates.visits('film-3'), 1, 'it begins no further step')
  const after = readState(layout, id)
  assert.deepEqual([after.stages, after.artifacts], [end.stages, end.artifacts])
  assert.deepEqual(await hashesOf(layout, after), files)
  await untilHealthy(instance)
})

/** What the worker said at the end of a stage that was not its own any more. */
function isSuperseded(line: string, worker: string): boolean {
  return line.includes('"outcome":"superseded"') && line.includes(`"process":"${worker}"`)
}

test('three processes that append and refresh at once lose nothing, and the state file never stays behind', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const writers = ['a', 'b', 'c'].map((name) => startWriter(t, [store.layout.root, project.id, name, '150']))
  const ends = Promise.all(writers.map((writer) => once(writer, 'exit')))
  const behindMs = await watchRevision(project.paths.state, ends)
  assert.deepEqual(await ends, Array(3).fill([0, null]))
  t.diagnostic(`an older state was seen for at most ${Math.round(behindMs)} ms`)
  assert.ok(behindMs < 3_000, `the state file stayed behind for ${behindMs} ms`)
  const fences = recordsOf(project.paths.journal).flatMap((r) => (r.type === 'published' ? [r.fence] : []))
  for (const name of ['a', 'b', 'c']) {
    const own = fences.filter((fence) => fence.startsWith(name))
    assert.deepEqual(
      own,
      Array.from({ length: 150 }, (_, i) => `${name}-${i}`),
      `the records of ${name}, in their order`,
    )
  }
  const journal = openJournal(project.paths.journal)
  assert.equal(journal.read().state.revision, 451)
  assert.equal(journal.skipped(), 0)
  assert.equal(readRevision(project.paths.state), 451)
})

/** Reads until `end`; the longest time for which the file showed less than it had shown before. */
async function watchRevision(path: string, end: Promise<unknown>): Promise<number> {
  let newest = 0
  let reads = 0
  let behindSinceMs: number | null = null
  let longestMs = 0
  let ended = false
  void end.then(() => {
    ended = true
  })
  while (!ended) {
    const revision = readRevision(path)
    reads++
    const nowMs = performance.now()
    if (revision >= newest) behindSinceMs = null
    else behindSinceMs ??= nowMs
    if (behindSinceMs !== null) longestMs = Math.max(longestMs, nowMs - behindSinceMs)
    newest = Math.max(newest, revision)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(reads > 100 && newest > 1, 'it was read while they wrote')
  return longestMs
}

function readRevision(path: string): number {
  return (JSON.parse(readFileSync(path, 'utf8')) as ProjectState).revision
}

function startWriter(t: TestContext, args: string[]) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, ...args], {
    stdio: 'inherit',
  })
  t.after(() => void child.kill('SIGKILL'))
  return child
}

function recordsOf(path: string): JournalRecord[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => decodeRecord(line) ?? [])
}

function claimsOf(path: string, stage: string) {
  return recordsOf(path).flatMap((r) => (r.type === 'claim' && r.stage === stage ? [r] : []))
}

function continueAgain(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It has ended, which is as good.
  }
}
