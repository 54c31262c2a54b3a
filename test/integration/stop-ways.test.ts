/** The ways by which a stop comes: through npm and its shells, by a terminal that closes, by a reader that goes away. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import type { RunFile } from '../../src/launch/data-folder.ts'
import { findProgram } from '../../src/lib/find-program.ts'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Installation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { type StartedProject, startProject } from '../helpers/started-project.ts'
import { stageOf, untilHealthy, untilStatus } from '../helpers/wait.ts'

const CTRL_C = '\x03'

// With `exec` in the script both shells are replaced by the program, which then hears npm and the terminal 1 ms apart.
for (const shell of ['dash', 'bash'])
  test(`Ctrl+C in a terminal, through npm with ${shell}: the running step ends, all stops, npm exits with 0, the rest resumes`, async (t) => {
    const path = await findProgram(shell)
    if (!path) return t.skip(`${shell} is not installed`)
    const start = { via: 'pty' as const, env: { npm_config_script_shell: path } }
    const project = await startProject(t, { held: ['write-2'], start })
    const { installation, gates, instance, id, layout } = project
    instance.type(CTRL_C)
    await untilStopping(instance)
    gates.release('write-2')
    assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
    assert.deepEqual(instance.facts('stopped')[0]?.left, [])
    assertInterrupted(project, 2)
    assert.deepEqual(await installation.processes(), [])
    await installation.start()
    await untilStatus({ layout, id }, 'completed')
    assert.equal(gates.visits('write-2'), 1)
  })

test('SIGQUIT to `showrunner start` is passed on: everything is killed, and so it ends', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ via: 'command' })
  instance.signal('SIGQUIT')
  assert.deepEqual(await instance.ended(15_000), { code: 131, signal: null })
  await untilGone([instance.supervisorPid])
})

test('SIGKILL to `showrunner start`: all stops, and the work is saved', async (t) => {
  const project = await startProject(t, { held: ['write-2'], start: { via: 'command' } })
  const { installation, gates, instance } = project
  instance.signal('SIGKILL')
  await untilDraining(instance)
  gates.release('write-2')
  await untilStopped(installation, instance)
  assertInterrupted(project, 2)
  assert.deepEqual(await installation.processes(), [])
})

/** What npm itself ends with; SIGHUP is not passed on, so that the program sees only that npm is gone. */
const TO_NPM = [
  ['SIGTERM', { code: 0, signal: null }],
  ['SIGHUP', { code: null, signal: 'SIGHUP' }],
  ['SIGKILL', { code: null, signal: 'SIGKILL' }],
] as const

for (const [signal, end] of TO_NPM) {
  test(`${signal} to npm while nothing runs: all stops`, async (t) => {
    const installation = await createInstallation(t)
    const instance = await installation.start({ via: 'npm' })
    assert.equal((await installation.processes()).length, 4)
    instance.signal(signal)
    await untilStopped(installation, instance)
    assert.deepEqual(await instance.ended(15_000), end)
    assert.deepEqual(await installation.processes(), [])
  })

  test(`${signal} to npm while a stage runs: its step ends, and its work is saved`, async (t) => {
    const project = await startProject(t, { held: ['write-2'], start: { via: 'npm' } })
    const { installation, gates, instance } = project
    instance.signal(signal)
    await untilDraining(instance)
    gates.release('write-2')
    await untilStopped(installation, instance)
    assert.deepEqual(await instance.ended(15_000), end)
    assertInterrupted(project, 2)
    assert.deepEqual(await installation.processes(), [])
  })
}

test('the end of npm, long after a signal, hurries nobody: the running step ends by itself', async (t) => {
  const project = await startProject(t, { held: ['write-2'], start: { via: 'npm' } })
  const { installation, gates, instance } = project
  process.kill(instance.supervisorPid, 'SIGTERM')
  await untilDraining(instance)
  const startedMs = performance.now()
  const passed = (ms: number) => until(() => performance.now() - startedMs > ms, { timeoutMs: ms + 1_000 })
  await passed(600) // from now on a signal would be a second one
  instance.signal('SIGKILL')
  await passed(1_800) // it is looked for twice a second
  assert.deepEqual(instance.facts('stop_escalated'), [])
  gates.release('write-2')
  await untilStopped(installation, instance)
  assertInterrupted(project, 2)
})

test('closing the terminal while nothing runs: all stops', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ via: 'pty' })
  closeTerminal(instance)
  await untilStopped(installation, instance)
  assert.deepEqual(await installation.processes(), [])
})

test('closing the terminal while a stage runs: nobody can read the output any more, and the work is saved', async (t) => {
  const project = await startProject(t, { held: ['write-2'], start: { via: 'pty' } })
  const { installation, gates, instance } = project
  closeTerminal(instance)
  await untilDraining(instance)
  gates.release('write-2')
  await untilStopped(installation, instance)
  assertInterrupted(project, 2)
  assert.deepEqual(await installation.processes(), [])
})

test('a reader that goes away, as in `npm start | head -1`, does not end the program', async (t) => {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  gates.hold('write-2')
  const program = installation.launch({ via: 'head' })
  const probe = async () => existsSync(installation.layout.run) && program.output().includes('\n')
  await until(probe, { timeoutMs: 45_000, what: 'the program to serve, and head to have its line' })
  const { pid, url } = JSON.parse(await readFile(installation.layout.run, 'utf8')) as RunFile
  const api = createClient({ url })
  const { id } = await api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  await gates.reached('write-2')
  await untilHealthy({ api })
  process.kill(pid, 'SIGTERM')
  await untilDraining({ api })
  gates.release('write-2')
  await program.ended(20_000)
  await untilGone([pid])
  assert.ok(!existsSync(installation.layout.run), 'a clean stop removes run.json')
  assertInterrupted({ layout: installation.layout, id }, 2)
  assert.deepEqual(await installation.processes(), [])
})

/** Kills script(1), which owns the terminal. */
function closeTerminal({ pid }: Instance): void {
  process.kill(-pid, 'SIGKILL')
}

async function untilStopping(instance: Instance): Promise<void> {
  await until(() => instance.facts('stopping').length > 0, {
    timeoutMs: 15_000,
    everyMs: 10,
    what: 'the stop to begin',
  })
}

/** Where the output cannot be read. */
async function untilDraining({ api }: Pick<Instance, 'api'>): Promise<void> {
  await until(async () => (await api.status()).data.status === 'stopping', { timeoutMs: 15_000, what: 'a stop' })
}

function assertInterrupted({ layout, id }: Pick<StartedProject, 'layout' | 'id'>, steps: number): void {
  const stage = stageOf(readState(layout, id), 'write')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', steps])
}

/** For when the exit code is somebody else's: the end of the supervisor, after a stop that was not cut short. */
async function untilStopped({ layout }: Installation, { supervisorPid }: Instance): Promise<void> {
  await untilGone([supervisorPid], 20_000)
  assert.ok(!existsSync(layout.run), 'a clean stop removes run.json')
}
