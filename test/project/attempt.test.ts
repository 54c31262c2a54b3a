import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { artifactPath } from '../../src/project/artifacts.ts'
import { loadValue } from '../../src/project/attempt.ts'
import { claimStage } from '../../src/project/claim.ts'
import { createProjectStore } from '../../src/project/store.ts'
import { queueStage } from '../../src/queue/plan.ts'
import { errnoError, refuseRemovals } from '../helpers/failing-files.ts'
import { ALIVE, begin, createProject, NO_CREDIT, openStore } from '../helpers/projects.ts'

test('of two processes that claim at once one wins, and only its writes count', async (t) => {
  const store = await openStore(t)
  const project = await createProject(store)
  const { taskId } = (await queueStage(project, 'write', true))!
  const others = await Promise.all([1, 2, 3].map(() => createProjectStore(store.layout).open(project.id)))
  const request = { stage: 'write', taskId, owner: ALIVE, isHeld: () => false }
  const claims = await Promise.all(others.map((p) => claimStage(p, request)))
  const attempts = claims.filter((c) => typeof c !== 'string')
  const current = attempts.filter((a) => a.isCurrent())
  assert.equal(current.length, 1)
  for (const loser of attempts.filter((a) => a !== current[0])) {
    await assert.rejects(loser.complete({ result: 'loser', text: null, credit: NO_CREDIT }), { code: 'superseded' })
    await assert.rejects(loser.putArtifact('x.txt', { data: 'loser' }, 'text/plain'), { code: 'superseded' })
  }
  const done = await current[0]!.complete({ result: 'winner', text: null, credit: NO_CREDIT })
  assert.equal(done.state.stages[0]!.result, 'winner')
})

test('a held claim is left alone, a finished task has nothing to claim', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const taskId = project.read().state.stages[0]!.task_id!
  assert.equal(await claimStage(project, { stage: 'write', taskId, owner: ALIVE, isHeld: () => true }), 'held')
  await attempt.complete({ result: null, text: null, credit: NO_CREDIT })
  assert.equal(await claimStage(project, { stage: 'write', taskId, owner: ALIVE, isHeld: () => true }), 'stale')
  assert.equal(await claimStage(project, { stage: 'nope', taskId, owner: ALIVE, isHeld: () => true }), 'stale')
})

test('an artifact is named by its content, and the zombie that writes late changes nothing', async (t) => {
  const project = await createProject(await openStore(t))
  const zombie = await begin(project, 'write')
  await zombie.putArtifact('film.txt', { data: 'first' }, 'text/plain')
  const winner = await begin(project, 'write', { ...ALIVE, token: 'second' })
  await winner.putArtifact('film.txt', { data: 'second' }, 'text/plain')
  await assert.rejects(zombie.putArtifact('film.txt', { data: 'third' }, 'text/plain'), { code: 'superseded' })
  const path = artifactPath(project.paths, project.read(), 'film.txt')
  assert.equal(readFileSync(path, 'utf8'), 'second')
  assert.match(path, /film\.[0-9a-f]{12}\.txt$/)
  assert.deepEqual(await readdir(project.paths.artifacts), [path.split('/').at(-1)], 'the replaced file is removed')
})

test('what a call cost counts although its stage fails while that is being written', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const { append } = project
  const disk = Promise.withResolvers<void>()
  project.append = async (...args) => {
    if (args[0].type === 'spent') await disk.promise
    return append(...args)
  }
  const billed = attempt.spent({ input_tokens: 3, output_tokens: 4, cost_usd: 0.5 }, {})
  const failed = attempt.fail({ code: 'provider_failed', message: 'no' }, null)
  disk.resolve()
  await Promise.all([billed, failed])
  const [stage] = project.read().state.stages
  assert.deepEqual([stage!.status, stage!.usage?.cost_usd], ['failed', 0.5])
})

test('a step is remembered while its key is the same and its files are there', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  await attempt.putArtifact('clip.bin', { data: 'x' }, 'application/octet-stream')
  await attempt.remember({ name: 'clip', key: 'key', value: { n: 1 }, files: ['clip.bin'] })
  const next = await begin(project, 'write', { ...ALIVE, token: 'next' })
  assert.deepEqual(await next.recall('clip', 'key'), { value: { n: 1 } })
  assert.equal(await next.recall('clip', 'other'), undefined)
  assert.equal(await next.recall('other', 'key'), undefined)
  rmSync(artifactPath(project.paths, project.read(), 'clip.bin'))
  assert.equal(await next.recall('clip', 'key'), undefined)
})

test('values over 16 KB become artifacts and come back whole', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  const big = { text: 'x'.repeat(20_000) }
  await attempt.remember({ name: 'big', key: 'key', value: big, files: [] })
  assert.deepEqual(await attempt.recall('big', 'key'), { value: big })
  const { state } = await attempt.complete({ result: big, text: null, credit: NO_CREDIT })
  assert.equal(state.stages[0]!.result, null)
  assert.deepEqual(await loadValue(project, state.stages[0]!.result_artifact!), big)
  assert.ok(readFileSync(project.paths.state).length < 8_000)
})

test('private folders of dead attempts are removed by the next one', async (t) => {
  const project = await createProject(await openStore(t))
  const dead = await begin(project, 'write')
  await mkdir(dead.work, { recursive: true })
  writeFileSync(join(dead.work, 'half.mp4'), 'half')
  await begin(project, 'write', { ...ALIVE, token: 'next' })
  assert.deepEqual(await readdir(project.paths.work), [])
})

test('a claim is won over a folder into which its dead attempt still writes', async (t) => {
  const project = await createProject(await openStore(t))
  const dead = await begin(project, 'write')
  await mkdir(dead.work, { recursive: true })
  const { refused } = refuseRemovals(t, project.paths.work)
  const next = await begin(project, 'write', { ...ALIVE, token: 'b' })
  assert.equal(next.isCurrent(), true)
  assert.deepEqual(refused, [dead.work])
})

test('a claim that was written but cannot be read back is looked for until it can', async (t) => {
  const project = await createProject(await openStore(t))
  const { append, read } = project
  let failures = 0
  project.append = async (...args) => {
    const folded = await append(...args)
    if (args[0].type === 'claim')
      project.read = () => {
        project.read = read
        failures++
        throw errnoError('EMFILE')
      }
    return folded
  }
  const attempt = await begin(project, 'write')
  assert.deepEqual([attempt.isCurrent(), failures], [true, 1])
})

test('a claim that was read back is taken up without one more look, which could fail', async (t) => {
  const project = await createProject(await openStore(t))
  const { append, read } = project
  let reads = 0
  project.append = async (...args) => {
    const folded = await append(...args)
    if (args[0].type === 'claim')
      project.read = () => {
        if (++reads === 1) return read()
        throw errnoError('EIO')
      }
    return folded
  }
  const attempt = await begin(project, 'write')
  project.read = read
  assert.deepEqual([attempt.isCurrent(), attempt.number, attempt.claimRevision], [true, 1, 3])
})

test('an artifact name cannot leave the folder', async (t) => {
  const project = await createProject(await openStore(t))
  const attempt = await begin(project, 'write')
  for (const name of ['../x', 'a/b', '', '.x', 'x'.repeat(200)])
    await assert.rejects(attempt.putArtifact(name, { data: 'x' }, 'text/plain'), Error, name)
})
