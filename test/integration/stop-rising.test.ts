/** The last part of a boot, when processes run and stages may be at work again: ended there, it ends in good order. */
import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { uuidv7 } from '../../src/lib/ids.ts'
import { until } from '../../src/lib/until.ts'
import { createProjectStore } from '../../src/project/store.ts'
import type { Misbehaviour } from '../fixtures/preloads/misbehave.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation } from '../helpers/installation.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { untilGone } from '../helpers/processes.ts'
import { readState } from '../helpers/soundness.ts'
import { tempFolder } from '../helpers/temp.ts'
import { stageOf, untilStatus } from '../helpers/wait.ts'

test('Ctrl+C just before it serves: running stages give their work back, nothing is left, and nobody is told that it serves', async (t) => {
  const { installation, gates, program, id, serve } = await rise(t)
  program.signal('SIGINT')
  await until(() => program.facts('stopping').length > 0, { timeoutMs: 15_000, everyMs: 5, what: 'the stop to begin' })
  serve()
  const askedMs = performance.now()
  await until(() => performance.now() - askedMs > 550, { timeoutMs: 5_000, everyMs: 10 })
  program.signal('SIGINT')
  assert.deepEqual(await program.ended(20_000), { code: 130, signal: null })
  assert.deepEqual(program.facts('ready'), [])
  assert.deepEqual(program.facts('stopped')[0]?.left, [])
  assert.deepEqual(await installation.processes(), [])
  assert.ok(!existsSync(installation.layout.run))
  const stage = stageOf(readState(installation.layout, id), 'leave')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
  gates.release('after')
  await installation.start()
  await untilStatus({ layout: installation.layout, id }, 'completed')
})

test('an error that nobody expected, before it serves: it is kept, and the next start says so', async (t) => {
  const { installation, gates, program, fail } = await rise(t)
  fail()
  assert.deepEqual(await program.ended(20_000), { code: 1, signal: null })
  assert.match(program.output(), /nobody expected this/)
  await untilGone((await installation.processes()).map(({ pid }) => pid))
  gates.release('after')
  const again = await installation.start()
  const { before } = again.facts('booted')[0]!
  assert.deepEqual([before?.how, before?.reason], ['faulted', 'nobody expected this'])
})

test('a boot that fails while a stage runs already: nothing is left, and the project says that it was interrupted', async (t) => {
  const { installation, gates, id } = await prepare(t)
  const folder = await tempFolder(t)
  writeFileSync(join(folder, 'io-1'), 'never-ready' satisfies Misbehaviour)
  const program = installation.launch({ env: { ...preloadEnv('misbehave'), TEST_MISBEHAVE_FOLDER: folder } })
  await gates.reached('after')
  assert.deepEqual(await program.ended(40_000), { code: 1, signal: null })
  assert.match(program.output(), /io-1 was not ready within/)
  await untilGone((await installation.processes()).map(({ pid }) => pid)) // of what was killed
  const stage = stageOf(readState(installation.layout, id), 'leave')
  assert.deepEqual([stage.status, stage.reason, stage.steps.length], ['waiting', 'interrupted', 1])
})

/** A start that finds a project, whose stage runs by the time when it is held. */
async function rise(t: TestContext) {
  const { installation, gates, id } = await prepare(t)
  const [hold, fault] = ['hold', 'fault'].map((name) => join(installation.dataDir, `.test-${name}`)) as [string, string]
  writeFileSync(hold, '')
  const env = { ...preloadEnv('slow-boot'), TEST_BOOT_HOLD: hold, TEST_BOOT_FAULT: fault }
  const program = installation.launch({ env })
  await gates.reached('after')
  await until(() => program.facts('child_ready').length === 4, { timeoutMs: 40_000, what: 'all processes to be ready' })
  const serve = () => rmSync(hold)
  return { installation, gates, program, id, serve, fail: () => writeFileSync(fault, '') }
}

/** A project that waits in the data folder; its stage leaves a program, and comes to a gate. */
async function prepare(t: TestContext) {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  gates.hold('after')
  const { id } = await createProjectStore(installation.layout).create({
    id: uuidv7(),
    pipeline: 'stray',
    title: 'A title',
    owner: 'operator',
    input: { folder: gates.folder },
    stages: [{ name: 'leave', queue: 'video' }],
    autostart: true,
  })
  return { installation, gates, id }
}
