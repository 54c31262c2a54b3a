/** However a supervisor dies, nothing of it is left; and what is left somehow, the sweep ends. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '../../src/lib/child-environment.ts'
import { uuidv7 } from '../../src/lib/ids.ts'
import { identityOf, isAlive } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { endSurvivors, findSurvivors } from '../../src/supervisor/sweep.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { assertNothingLeft } from './running.ts'

const QUIET = '--disable-warning=ExperimentalWarning'
const WAIT = { timeoutMs: 10_000, everyMs: 10 }
const isLinux = process.platform === 'linux'

for (const [where, more] of [
  ['', {}],
  [', also without a death signal', preloadEnv('no-death-signal')],
] as const)
  test(`SIGKILL of the supervisor takes its children with it, a busy one too${where}`, async (t) => {
    const dataId = uuidv7()
    const parent = start(t, {
      command: [process.execPath, QUIET, pathOf('../fixtures/children/supervisor-process.ts'), 'run-1', dataId],
      env: { ...process.env, ...more },
    })
    const children = (JSON.parse(await firstLine(parent)) as number[]).map(identityOf)
    assert.equal(children.length, 2)
    assert.ok(children.every(isAlive))
    parent.kill('SIGKILL')
    await until(() => !children.some(isAlive), { timeoutMs: 20_000, everyMs: 10, what: 'the children to end' })
    await assertNothingLeft(dataId) // the shell that ended them goes with them
  })

test('a child ends when its parent was gone before it could look', { skip: !isLinux }, async (t) => {
  const env = { ...process.env, ...childEnvironment({ runId: 'r', dataId: 'd', parentPid: 999_999 }) }
  const child = start(t, {
    command: [process.execPath, QUIET, '--import', pathOf('../../src/preload.ts'), '-e', 'setInterval(() => {}, 1e6)'],
    env,
  })
  assert.deepEqual(await once(child, 'exit'), [1, null])
})

test('the sweep finds this data folder only, spares the own run, and asks some politely', {
  skip: !isLinux,
}, async (t) => {
  const dataId = uuidv7()
  const old = start(t, { command: ['sleep', '600'], env: environment('old', dataId) })
  const polite = start(t, {
    command: ['sh', '-c', 'trap "exit 0" TERM; echo set; while :; do read x; done'],
    env: environment('old', dataId),
    stdin: true,
  })
  await firstLine(polite)
  const own = start(t, { command: ['sleep', '600'], env: environment('now', dataId) })
  const stranger = start(t, { command: ['sleep', '600'], env: environment('old', uuidv7()) })
  const found = await until(async () => {
    const list = await findSurvivors(dataId, 'now')
    return list.length >= 2 && list.every(({ command }) => command === 'sleep' || command === 'sh') && list
  }, WAIT)
  assert.deepEqual(found.map(({ pid }) => pid).sort(), [old.pid, polite.pid].sort())
  const ends = Promise.all([once(old, 'exit'), once(polite, 'exit')])
  const ended = await endSurvivors(dataId, { exceptRunId: 'now', termFirst: ['sh'] })
  assert.equal(ended.length, 2)
  assert.deepEqual(await ends, [
    [null, 'SIGKILL'],
    [0, null],
  ])
  assert.ok(isAlive(identityOf(own.pid!)) && isAlive(identityOf(stranger.pid!)))
})

test('the sweep kills what ignores the polite signal', { skip: !isLinux }, async (t) => {
  const dataId = uuidv7()
  const deaf = start(t, {
    command: ['sh', '-c', 'trap "" TERM; echo set; while :; do read x; done'],
    env: environment('old', dataId),
    stdin: true,
  })
  await firstLine(deaf)
  const end = once(deaf, 'exit')
  await endSurvivors(dataId, { termFirst: ['sh'], timeoutMs: 300 })
  assert.deepEqual(await end, [null, 'SIGKILL'])
})

function environment(runId: string, dataId: string): NodeJS.ProcessEnv {
  return { ...process.env, ...childEnvironment({ runId, dataId, parentPid: process.pid }) }
}

type Start = { command: [file: string, ...args: string[]]; env?: NodeJS.ProcessEnv; stdin?: boolean }

function start(t: TestContext, { command, env, stdin }: Start) {
  const [file, ...args] = command
  const child = spawn(file, args, { env, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [text] = (await once(child.stdout!, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer]
  return text.toString().trim()
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
