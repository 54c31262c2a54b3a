/** Ctrl+Z stops only the program at the terminal: its children work on, and after `fg` nobody is blamed for the pause. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { statOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import type { Instance } from '../helpers/installation.ts'
import { readState } from '../helpers/soundness.ts'
import { startProject } from '../helpers/started-project.ts'
import { stageOf, untilHealthy, untilStatus } from '../helpers/wait.ts'

const [CTRL_C, CTRL_Z] = ['\x03', '\x1a']
const HANG_KILL_S = 6

/** Typed into an interactive shell, for Ctrl+Z means something only there. */
function startInShell(t: TestContext) {
  return startProject(t, { held: ['write-2'], start: { via: 'shell', env: { HANG_KILL_S: String(HANG_KILL_S) } } })
}

test('suspended for longer than a hang is allowed: work goes on, and afterwards all is as it was', async (t) => {
  const { installation, layout, gates, instance, id } = await startInShell(t)
  const before = await processesOf(instance)
  await suspend(instance)
  const suspendedMs = performance.now()
  gates.release('write-2')
  await untilStatus({ layout, id }, 'completed')
  assert.equal(stateOf(instance), 'T', 'the project was completed without the supervisor')
  const isLong = () => performance.now() - suspendedMs > (HANG_KILL_S + 2) * 1_000
  await until(isLong, { timeoutMs: 20_000, what: 'the pause to be a long one' })
  await resume(instance)
  await untilHealthy(instance)
  const again = await instance.api.projects.create({ pipeline: 'steps', input: { folder: gates.folder } })
  await untilStatus({ layout, id: again.id }, 'completed')
  assert.deepEqual(await processesOf(instance), before, 'the same processes, none restarted')
  for (const type of ['child_hung', 'child_exited', 'redis_changed', 'jobs_taken_back'] as const)
    assert.deepEqual(instance.facts(type), [], type)
  await untilHealthy(instance)
  instance.type(CTRL_C)
  await endOf(instance)
  assert.deepEqual(await installation.processes(), [])
})

test('suspended in the middle of a stop: the work is saved all the same, and after fg the stop ends', async (t) => {
  const { installation, layout, gates, instance, id } = await startInShell(t)
  instance.type(CTRL_C)
  await until(() => instance.facts('stopping').length > 0, { timeoutMs: 15_000, everyMs: 10 })
  await suspend(instance)
  gates.release('write-2')
  await untilStatus({ layout, id }, 'waiting')
  await resume(instance)
  await endOf(instance)
  const stage = stageOf(readState(layout, id), 'write')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 2])
  assert.deepEqual(await installation.processes(), [])
})

test('stopped for longer than a stop may take, in the middle of one: it ends well afterwards', async (t) => {
  const plan = { held: ['film-2'], input: { deaf: true }, start: { env: { STOP_TIMEOUT_S: '3' } } }
  const { installation, layout, gates, instance, id } = await startProject(t, plan)
  instance.signal('SIGTERM')
  await until(() => instance.facts('stopping').length > 0, { timeoutMs: 15_000, everyMs: 1 })
  instance.signal('SIGSTOP')
  const stoppedMs = performance.now()
  await until(() => performance.now() - stoppedMs > 8_000, { timeoutMs: 20_000, what: 'the pause to be a long one' })
  instance.signal('SIGCONT')
  assert.deepEqual(await instance.ended(20_000), { code: 0, signal: null })
  assert.deepEqual(instance.facts('stopped')[0]?.left, [])
  assert.ok(!existsSync(layout.run))
  assert.deepEqual(await installation.processes(), [])
  gates.release('film-2')
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

function stateOf({ supervisorPid }: Instance): string | undefined {
  return statOf(supervisorPid)?.state
}

async function suspend(instance: Instance): Promise<void> {
  instance.type(CTRL_Z)
  await until(() => stateOf(instance) === 'T', {
    timeoutMs: 15_000,
    everyMs: 10,
    what: 'the supervisor to be suspended',
  })
}

async function resume(instance: Instance): Promise<void> {
  instance.type('fg\n')
  await until(() => stateOf(instance) !== 'T', { timeoutMs: 15_000, everyMs: 10, what: 'the supervisor to go on' })
}

/** The shell says what npm ended with. */
async function endOf(instance: Instance): Promise<void> {
  await until(() => instance.facts('stopped').length > 0, { timeoutMs: 20_000, what: 'the stop to end' })
  instance.type('echo "npm ended with $?"; exit\n')
  await instance.ended(15_000)
  assert.match(instance.output(), /npm ended with 0/)
}

async function processesOf({ api }: Instance): Promise<unknown> {
  const { redis, worker, scheduler } = (await api.status()).data.services
  const workers = worker.workers?.map(({ name, pid, restarts }) => ({ name, pid, restarts }))
  return { redis: redis.pid, scheduler: scheduler.pid, workers }
}
