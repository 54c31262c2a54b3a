/** What a job waits for before its stage is claimed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { exec } from '../../src/lib/exec.ts'
import { silentLog } from '../../src/lib/log.ts'
import { descendantsOf, identityOf, isAlive } from '../../src/lib/process-tree.ts'
import { until, within } from '../../src/lib/until.ts'
import type { StageContext, StageDefinition } from '../../src/pipelines/define.ts'
import type { Project } from '../../src/project/store.ts'
import type { Providers } from '../../src/providers/pick.ts'
import { queueStage } from '../../src/queue/plan.ts'
import { type JobClaim, type ProcessDeps, processJob } from '../../src/queue/process-job.ts'
import { createSolitude } from '../../src/queue/solitude.ts'
import { errnoError } from '../helpers/failing-files.ts'
import { recordedStage } from '../helpers/live.ts'
import { untilGone } from '../helpers/processes.ts'
import { ALIVE, begin, createProject, openStore } from '../helpers/projects.ts'
import { openQueue } from '../helpers/queue.ts'

const EXIT = { worker: 'io-1', reason: 'exited with code 3', at: '2026-01-01T00:00:00.000Z' }

test('a job that an earlier run has left begins nothing that RESUME=off has set aside', async (t) => {
  const { deps, project, job, claim, running } = await openCase(t, { suspect: false, release: 'interrupted' })
  assert.deepEqual(await processJob({ ...deps, resume: 'off' }, job, claim), { kind: 'done' })
  assert.deepEqual([attemptsOf(project), running.length], [1, 0])
  await processJob(deps, job, claim)
  assert.equal(attemptsOf(project), 2)
})

test('a suspect of a crash is claimed when nothing else is in the process any more, and then said to run', async (t) => {
  const { deps, project, job, claim, running } = await openCase(t, { suspect: true })
  const leave = await deps.solitude.enter(false)
  const verdict = processJob(deps, job, claim)
  await turns()
  assert.deepEqual([attemptsOf(project), running.length], [1, 0], 'it waits')
  leave!()
  assert.deepEqual(await verdict, { kind: 'done', outcome: 'failed' })
  assert.deepEqual([attemptsOf(project), running.length], [2, 1])
  assert.equal(typeof (await deps.solitude.enter(true)), 'function', 'it has left')
})

test('a suspect is given back for a moment while another process may take it, and nobody waits behind it', async (t) => {
  const { deps, project, job, claim } = await openCase(t, { suspect: true })
  const leave = await deps.solitude.enter(false)
  const beganMs = Date.now()
  const verdict = await within(processJob(deps, job, { ...claim, hasPeers: true }), 5_000, null)
  assert.ok(verdict?.kind === 'delay' && verdict.dueMs > beganMs)
  assert.equal(attemptsOf(project), 1)
  const next = await deps.solitude.enter(false)
  assert.equal(typeof next, 'function', 'the next job comes in')
  leave!()
  next!()
  await processJob(deps, job, { ...claim, hasPeers: true })
  assert.equal(attemptsOf(project), 2, 'here too, once nothing is inside')
})

test('a suspect that a busy process fetches runs at once in one that is empty, and later jobs run beside the busy', async (t) => {
  const { deps, project, job } = await openCase(t, { suspect: true })
  const busy = { ...deps, owner: { ...deps.owner, worker: 'io-2' } }
  const idle = { ...deps, owner: { ...deps.owner, worker: 'io-1' }, solitude: createSolitude() }
  await busy.solitude.enter(false) // a stage of a quarter of an hour
  const { dispatcher, startPeer } = await openQueue(t, {
    process: (data, claim) => processJob(busy, data, claim),
    peer: (data, claim) => processJob(idle, data, claim),
  })
  const later = await createProject(deps.store)
  await queueStage(later, 'write', true)
  await dispatcher.enqueue([
    { ...job, queue: 'llm', dueMs: 0 },
    { ...job, projectId: later.id, taskId: `${later.id}-1`, queue: 'llm', dueMs: 0 },
  ])
  await until(() => later.read().state.status === 'failed', { timeoutMs: 20_000 })
  assert.deepEqual([attemptsOf(project), workerOf(later)], [1, 'io-2'])
  await startPeer() // io-1 was still being started anew
  await until(() => project.read().state.status === 'failed', { timeoutMs: 20_000 })
  assert.equal(workerOf(project), 'io-1')
})

test('others are claimed beside each other', async (t) => {
  const { deps, project, job, claim } = await openCase(t, { suspect: false })
  await deps.solitude.enter(false)
  await processJob(deps, job, claim)
  assert.equal(attemptsOf(project), 2)
})

test('one that still waits when the worker takes nothing new is given back, unclaimed', async (t) => {
  const { deps, project, job, claim, running } = await openCase(t, { suspect: true })
  await deps.solitude.enter(false)
  const verdict = processJob(deps, job, claim)
  await turns()
  deps.solitude.close()
  assert.deepEqual(await verdict, { kind: 'back' })
  assert.deepEqual([attemptsOf(project), running.length, project.read().state.status], [1, 0, 'queued'])
})

test('a job whose stage another process holds stays in the queue, for that one to find it again', async (t) => {
  const { deps, project, job, claim, running } = await openCase(t, { suspect: false })
  await begin(project, 'write')
  const beganMs = Date.now()
  const verdict = await processJob({ ...deps, isHeld: () => true }, job, claim)
  assert.ok(verdict.kind === 'delay' && verdict.dueMs > beganMs)
  assert.deepEqual([attemptsOf(project), running.length], [2, 0])
})

test('a job whose claim a full disk refuses is looked at again a little later', async (t) => {
  const { deps, project, job, claim } = await openCase(t, { suspect: false })
  const { append } = project
  project.append = async () => {
    throw errnoError('ENOSPC')
  }
  const beganMs = Date.now()
  const verdict = await processJob(deps, job, claim)
  assert.ok(verdict.kind === 'delay' && verdict.dueMs > beganMs)
  project.append = append
  await processJob(deps, job, claim)
  assert.equal(attemptsOf(project), 2)
})

test('what is thrown between a claim and its stage fails the stage, or ends the process', async (t) => {
  const { deps, project, job, claim } = await openCase(t, { suspect: false })
  const broken = {
    ...claim,
    onRunning() {
      throw new Error('nobody expected this')
    },
  }
  const { append } = project
  project.append = async (record) => {
    if (record.type === 'failed') throw errnoError('EACCES')
    return append(record)
  }
  assert.deepEqual(await processJob(deps, job, broken), { kind: 'stuck', outcome: 'stuck' })
  project.append = append
  assert.deepEqual(await processJob(deps, job, broken), { kind: 'done', outcome: 'failed' })
  assert.equal(project.read().state.error?.message, 'nobody expected this')
})

const MINUTES = ['600']
/** Each stage starts a program in every way, and ends in another one. */
const ENDS: Record<string, (context: StageContext) => unknown> = {
  completed: () => 'done',
  retry: () => Promise.reject(Object.assign(new Error('busy'), { status: 503 })),
  failed: () => Promise.reject(new Error('a bug')),
}

for (const [kind, end] of Object.entries(ENDS))
  test(`the programs of a stage end with it, also those that it does not wait for: ${kind}`, async (t) => {
    const { deps, project, job, claim } = await openCase(t, { suspect: false })
    const programs: ChildProcess[] = []
    const run = async (context: StageContext) => {
      const sibling = context.step('sibling', async () => {
        programs.push(spawn('sleep', MINUTES), spawn('sleep', MINUTES, { detached: true, stdio: 'ignore' }))
        void exec('sleep', MINUTES).catch(() => {})
        if (kind === 'retry') await once(programs[0]!, 'exit')
      })
      const result = await Promise.all([end(context), sibling])
      return result[0]
    }
    const { outcome } = await processJob(withStage(deps, run), job, claim)
    t.after(() => programs.forEach((program) => void program.kill('SIGKILL')))
    assert.equal(outcome, kind)
    await untilGone(programs.map(({ pid }) => pid!))
    await until(() => descendantsOf(process.pid).every((pid) => !isAlive(identityOf(pid))), { timeoutMs: 10_000 })
    assert.equal(attemptsOf(project), 2)
  })

function withStage(deps: ProcessDeps, run: StageDefinition['run']): ProcessDeps {
  const pipeline = { name: 'p', input: { parse: String }, stages: [{ name: 'write', queue: 'llm', run }] }
  return {
    ...deps,
    registry: { ...deps.registry, get: () => pipeline },
    providersFor: () => ({}) as Providers,
    live: { announce: async () => {}, open: async () => recordedStage() } as unknown as ProcessDeps['live'],
    limits: { softS: 60, hardS: 90 },
    onNudge: () => () => {},
    dispatcher: { enqueue: async () => true } as unknown as ProcessDeps['dispatcher'],
  }
}

const workerOf = (project: Project) => project.read().internals.write?.owner?.worker

const attemptsOf = (project: Project) => project.read().state.stages[0]!.attempts

/** Longer than the way to a claim on the disk takes. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

type Case = { suspect: boolean; release?: 'recycle' | 'interrupted' }

/** A project whose first stage is queued again after its worker has crashed; no pipeline has that stage any more. */
async function openCase(t: TestContext, { suspect, release = 'recycle' }: Case) {
  const store = await openStore(t)
  const project = await createProject(store)
  const attempt = await begin(project, 'write')
  const about = { stage: 'write', fence: attempt.fence }
  if (suspect) await project.append({ type: 'crashed', ...about, exit: EXIT, charged: true })
  else await attempt.release(release)
  const running: string[] = []
  const deps = {
    store,
    registry: { get: () => undefined },
    live: { announce: async () => {} },
    owner: { run: 'r', pid: process.pid, started: '', worker: 'io-1' },
    isHeld: () => false,
    resume: 'auto',
    log: silentLog,
    clean: String,
    drain: { reason: () => null, signal: new AbortController().signal },
    solitude: createSolitude(),
  } as unknown as ProcessDeps
  const job = { projectId: project.id, owner: 'operator', stage: 'write', taskId: `${project.id}-1` }
  const claim: JobClaim = {
    token: ALIVE.token,
    onRunning: () => void running.push(job.taskId),
    onClock() {},
    hasPeers: false,
  }
  return { deps, project, job, claim, running }
}
