/** Signals that do not mean stop: SIGUSR2 tells the status, those of a terminal to the background are ignored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { createInstallation } from '../helpers/installation.ts'
import { startProject } from '../helpers/started-project.ts'
import { untilStatus, workerOf } from '../helpers/wait.ts'

test('SIGUSR2: a line for each process, how it is and what it does, and the work goes on', async (t) => {
  const { gates, instance, id, layout } = await startProject(t, { held: ['write-2'] })
  const isHeard = async () => (await workerOf(instance, 'io-1')).active.length === 1
  await until(isHeard, { timeoutMs: 10_000, what: 'the stage to be heard of' })
  instance.signal('SIGUSR2')
  const told = () => instance.facts('process_status')
  await until(() => told().length >= 5, { timeoutMs: 15_000, what: 'the status of all processes' })
  const rows = told().map(({ name, phase, jobs, restarts }) => [name, [phase, jobs, restarts]])
  assert.deepEqual(Object.fromEntries(rows), {
    supervisor: ['running', 0, 0],
    redis: ['ready', 0, 0],
    scheduler: ['ready', 0, 0],
    'io-1': ['ready', 1, 0],
    'media-1': ['ready', 0, 0],
  })
  assert.match(instance.output(), /io-1 +ready, process \d+, up \d+ s, 1 stage runs/)
  assert.equal(told()[0]?.pid, instance.supervisorPid)
  gates.release('write-2')
  await untilStatus({ layout, id }, 'completed')
})

test('SIGUSR2 during the boot does not end it', async (t) => {
  const installation = await createInstallation(t)
  const program = installation.launch()
  await until(() => program.facts('child_spawned').length > 0, { timeoutMs: 20_000, everyMs: 1 })
  program.signal('SIGUSR2')
  await program.ready()
})

test('SIGTTIN does not suspend the supervisor where a shell could resume it, nor change the number of workers', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ via: 'shell' })
  process.kill(instance.supervisorPid, 'SIGTTIN')
  process.kill(instance.supervisorPid, 'SIGUSR2')
  await until(() => instance.facts('process_status').length >= 5, { timeoutMs: 15_000, what: 'the signal after it' })
  assert.notEqual(statOf(instance.supervisorPid)?.state, 'T')
  assert.equal((await installation.processes()).length, 4)
  instance.type('\x03')
  await until(() => instance.facts('stopped').length > 0, { timeoutMs: 30_000 })
  instance.type('exit\n')
  await instance.ended(15_000)
})
