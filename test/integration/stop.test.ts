/** Every way to be told to stop: work is saved, the exit code says what happened, and no process is left. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import type { Program } from '../helpers/program.ts'
import { readState } from '../helpers/soundness.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { stageOf, untilState, untilStatus } from '../helpers/wait.ts'

const CTRL_C = '\x03'
/** What comes sooner counts as the same press. */
const NEXT_PRESS_MS = 550

test('Ctrl+C in a terminal, through npm: the running step ends, all stops, npm exits with 0, the rest resumes', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, { held: ['write-2'], start: { via: 'pty' } })
  const { layout } = installation
  instance.type(CTRL_C)
  await untilStopping(instance)
  gates.release('write-2')
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
  assert.deepEqual(await installation.processes(), [])
  const stage = stageOf(readState(layout, id), 'write')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 2])
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
  assert.equal(gates.visits('write-2'), 1)
})

test('a second Ctrl+C: over within 2 s, exit 130, the stage and its program are ended and resume', async (t) => {
  const { installation, instance, id } = await startProject(t, { pipeline: 'subprocess', start: { via: 'pty' } })
  const { layout } = installation
  const sleeping = await untilSleeping(installation)
  instance.type(CTRL_C)
  await untilStopping(instance)
  const pressedMs = await pressAgain(() => instance.type(CTRL_C))
  assert.deepEqual(await instance.ended(5_000), { code: 130, signal: null })
  const tookMs = performance.now() - pressedMs
  assert.ok(tookMs < 2_000, `it took ${tookMs} ms`)
  await untilGone([sleeping], 100)
  assert.deepEqual(await installation.processes(), [])
  const stage = stageOf(readState(layout, id), 'wait')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

test('SIGTERM to npm: all stops, npm exits with 0, nothing is left', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ via: 'npm' })
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
  await untilStopped(installation, instance)
  assert.deepEqual(await installation.processes(), [])
})

test('SIGKILL of npm: the program notices and stops', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ via: 'npm' })
  assert.equal((await installation.processes()).length, 4)
  instance.signal('SIGKILL')
  await untilStopped(installation, instance)
  assert.deepEqual(await installation.processes(), [])
})

test('closing the terminal is a stop: nobody can read the output any more, and the work is saved', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, { held: ['write-2'], start: { via: 'pty' } })
  process.kill(-instance.pid, 'SIGKILL') // script(1), which owns the terminal
  const api = instance.api
  await until(async () => (await api.status()).data.status === 'stopping', { timeoutMs: 5_000 })
  gates.release('write-2')
  await untilStopped(installation, instance)
  const stage = stageOf(readState(installation.layout, id), 'write')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 2])
  assert.deepEqual(await installation.processes(), [])
})

test('a reader that goes away, as in `npm start | head -1`, does not end the program', async (t) => {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  const instance = await installation.start()
  instance.child.stdout!.destroy()
  const { id } = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  await untilStatus({ layout: installation.layout, id }, 'completed')
  instance.signal('SIGTERM')
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
})

test('after 18 s a stop tells what still runs to end, after 23 s it ends the deaf; exit 0', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  const deaf = createGates(t)
  deaf.hold('film-2')
  const input = { folder: deaf.folder, deaf: true }
  const other = await instance.api.projects.create({ pipeline: 'steps', input })
  await deaf.reached('film-2')
  const startedMs = performance.now()
  instance.signal('SIGTERM')
  await untilState({ layout, id, timeoutMs: 20_000 }, (state) => stageOf(state, 'write').status !== 'running')
  const toldMs = performance.now() - startedMs
  assert.ok(toldMs > 17_900 && toldMs < 19_000, `it was told after ${toldMs} ms`)
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
  assert.ok(performance.now() - startedMs < 28_000)
  for (const [project, name] of [
    [id, 'write'],
    [other.id, 'film'],
  ] as const) {
    const stage = stageOf(readState(layout, project), name)
    assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  }
  gates.release('write-2')
  deaf.release('film-2')
  await installation.start()
  await Promise.all([id, other.id].map((one) => untilStatus({ layout, id: one }, 'completed')))
})

test('five SIGTERMs at once are one', async (t) => {
  const { installation, gates, instance, id } = await startProject(t, { held: ['write-2'] })
  for (let i = 0; i < 5; i++) instance.signal('SIGTERM')
  await untilStopping(instance)
  gates.release('write-2')
  assert.deepEqual(await instance.ended(10_000), { code: 0, signal: null })
  assert.equal(stageOf(readState(installation.layout, id), 'write').steps.length, 2, 'the running step ended by itself')
})

test('a third signal kills what does not listen, at once', async (t) => {
  const { installation, layout, gates, instance, id } = await startProject(t, {
    pipeline: 'busy',
    input: { ms: 60_000 },
  })
  await gates.reached('loop')
  instance.signal('SIGTERM')
  await untilStopping(instance)
  await pressAgain(() => instance.signal('SIGTERM'))
  const thirdMs = await pressAgain(() => instance.signal('SIGTERM'))
  assert.deepEqual(await instance.ended(5_000), { code: 143, signal: null })
  assert.ok(performance.now() - thirdMs < 1_000)
  assert.deepEqual(await installation.processes(), [])
  const stage = stageOf(readState(layout, id), 'loop')
  assert.deepEqual([stage.status, stage.reason], ['waiting', 'interrupted'], 'what was killed is written down as well')
})

type Moment = [words: string, isReached: (program: Program, installation: Installation) => boolean]

const MOMENTS: Moment[] = [
  ['its children are being started', (program) => program.facts('child_spawned').length > 0],
  ['its children are ready', (program) => program.facts('child_ready').length > 2],
  ['it has just said where it serves', (_, { layout }) => existsSync(layout.run)],
]

for (const [words, isReached] of MOMENTS)
  test(`a signal during the boot, when ${words}, ends it and leaves nothing`, async (t) => {
    const installation = await createInstallation(t)
    const program = installation.launch()
    await until(() => isReached(program, installation), { timeoutMs: 10_000, everyMs: 1 })
    program.signal('SIGINT')
    assert.deepEqual(await program.ended(10_000), { code: 0, signal: null })
    // They were killed, not asked; the kernel may take a moment to clear them away.
    await untilGone((await installation.processes()).map((p) => p.pid))
    assert.ok(!existsSync(installation.layout.run))
  })

for (const pipeline of ['subprocess', 'busy'])
  test(`SIGKILL of the supervisor: 3 s later nothing is left, a ${pipeline} worker included`, async (t) => {
    const { installation, gates, instance, id } = await startProject(t, { pipeline, input: { ms: 60_000 } })
    if (pipeline === 'subprocess') await untilSleeping(installation)
    else await gates.reached('loop')
    await killSupervisor(installation, instance)
    await installation.start()
    await untilStatus({ layout: installation.layout, id }, 'completed')
  })

async function untilStopping(instance: Instance): Promise<void> {
  await until(() => instance.facts('stopping').length > 0, { timeoutMs: 5_000, everyMs: 10, what: 'the stop to begin' })
}

/** For when the exit code is somebody else's: the end of the supervisor, after a stop that was not cut short. */
async function untilStopped({ layout }: Installation, { supervisorPid }: Instance): Promise<void> {
  await untilGone([supervisorPid], 10_000)
  assert.ok(!existsSync(layout.run), 'a clean stop removes run.json')
}

/** Presses once the last press is long enough ago to count; gives the moment. */
async function pressAgain(press: () => void): Promise<number> {
  const lastMs = performance.now()
  await until(() => performance.now() - lastMs > NEXT_PRESS_MS, { timeoutMs: 2_000, everyMs: 10 })
  press()
  return performance.now()
}

async function untilSleeping(installation: Installation): Promise<number> {
  const probe = async () => (await installation.processes()).find((p) => p.command === 'sleep')?.pid
  return until(probe, { timeoutMs: 10_000, what: 'the program of the stage to run' })
}
