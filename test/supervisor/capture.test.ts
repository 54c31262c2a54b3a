/** Where a busy main thread is: asked of real processes, in every way in which one can be busy. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { descendantsOf, signalProcess } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { createStackReader, INSPECTOR_FLAGS } from '../../src/supervisor/capture.ts'
import { readLines } from '../../src/supervisor/lines.ts'
import { describeTop } from '../../src/supervisor/stack.ts'
import { listenersOf } from '../helpers/listeners.ts'
import { ROOT } from '../helpers/program.ts'
import { tempFolder } from '../helpers/temp.ts'

const FILE = 'test/fixtures/children/stuck.ts'
const WAIT = { timeoutMs: 60_000, everyMs: 10 }
/** What answers does so in a fraction of it. */
const ANSWER_MS = 30_000

for (const [way, name, marker] of [
  ['spin', 'spin', '// spins'],
  ['tight', 'tight', '// tight'],
  ['expression', 'expression', '// backtracks'],
  ['wait', 'wait', '// waits'],
] as const)
  test(`${way}: function, line and task are told, at once`, async (t) => {
    const { reader, occupy } = await start(t)
    await occupy(way, 60_000)
    const startedMs = performance.now()
    const top = await reader.read(ANSWER_MS)
    assert.ok(top)
    assert.equal(describeTop(top), `${name} (${FILE}:${lineOf(marker)})`)
    assert.equal(top.scope, `task-of-${way}`, 'not the task that waits beside it')
    assert.ok(top.frames.includes(`${name} (${FILE}:${top.line})`), top.frames.join('\n'))
    assert.ok(top.column > 0)
    t.diagnostic(`${Math.round(performance.now() - startedMs)} ms`)
  })

test('all frames are told, those of Node among them', async (t) => {
  const { reader, occupy } = await start(t)
  await occupy('listener', 60_000)
  const { frames } = (await reader.read(ANSWER_MS))!
  const names = frames.filter((frame) => /^(spin|emit|listener) /.test(frame)).map((frame) => frame.split(':')[0])
  assert.deepEqual(names, [`spin (${FILE}`, 'emit (node', `listener (${FILE}`])
})

test('who comes back has its inspector closed, prints nothing of it, and can be asked again', async (t) => {
  const { child, reader, occupy, letGo, free, lines } = await start(t)
  for (let i = 0; i < 3; i++) {
    await occupy('spin', 60_000)
    assert.equal((await reader.read(ANSWER_MS))?.function, 'spin')
    assert.equal(listenersOf(child.pid!), 1)
    letGo()
    await free()
    reader.release()
    await until(() => listenersOf(child.pid!) === 0, { ...WAIT, what: 'the inspector to be closed' })
  }
  await free()
  assert.equal(listenersOf(child.pid!), 0, 'it stays closed')
  assert.deepEqual(lines, [])
})

test('one that is let go while it is still busy closes its inspector when it is free, and does not open it again', async (t) => {
  const { child, reader, occupy, letGo, free, opened } = await start(t)
  await occupy('spin', 60_000)
  assert.equal((await reader.read(ANSWER_MS))?.function, 'spin')
  reader.release()
  letGo()
  await free()
  await until(() => listenersOf(child.pid!) === 0, WAIT)
  await free()
  assert.deepEqual([listenersOf(child.pid!), opened()], [0, 1])
})

test('a call outside JavaScript gives null in time; the answer that comes late closes the inspector too', async (t) => {
  const { child, reader, occupy, letGo, free, opened, lines } = await start(t)
  await occupy('program', 4_000)
  await until(() => descendantsOf(child.pid!).length === 1, { ...WAIT, everyMs: 1 })
  assert.equal(await reader.read(300), null)
  reader.release()
  assert.equal(opened(), 0, 'it has not even heard the question')
  await until(() => opened() === 1, WAIT)
  await until(() => listenersOf(child.pid!) === 0, WAIT)
  await free()
  await occupy('spin', 60_000)
  assert.equal((await reader.read(ANSWER_MS))?.function, 'spin', 'the next time it is told')
  letGo()
  await free()
  reader.release()
  await until(() => listenersOf(child.pid!) === 0, WAIT)
  assert.deepEqual(lines, [])
})

test('one that is free is nowhere', async (t) => {
  const { reader } = await start(t)
  assert.equal(await reader.read(5_000), null)
})

test('one that is killed meanwhile gives null at once', async (t) => {
  const { child, reader, occupy } = await start(t)
  await occupy('program', 60_000)
  const sleeping = await until(() => descendantsOf(child.pid!)[0], { ...WAIT, everyMs: 1 })
  t.after(() => signalProcess(sleeping, 'SIGKILL'))
  const reading = reader.read(60_000)
  child.kill('SIGKILL')
  await once(child, 'exit')
  reader.end()
  assert.equal(await reading, null)
})

test('who would die of the signal, or see it late, is not asked', async (t) => {
  const deaf = await start(t, ['--disable-sigusr1'])
  assert.equal(await deaf.reader.read(5_000), null)
  await deaf.free()
  const shell = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.after(() => shell.kill('SIGKILL'))
  await once(shell, 'spawn')
  assert.equal(await createStackReader(shell.pid!, []).read(5_000), null)
  const stopped = await start(t)
  stopped.child.kill('SIGSTOP')
  await until(() => stateOf(stopped.child.pid!) === 'T', WAIT)
  assert.equal(await stopped.reader.read(5_000), null)
  stopped.child.kill('SIGCONT')
  await stopped.free()
  assert.equal(listenersOf(stopped.child.pid!), 0)
  assert.deepEqual([shell.exitCode, shell.signalCode, deaf.child.exitCode, deaf.child.signalCode], Array(4).fill(null))
})

test("what others write is not taken, and neither are the inspector's lines when somebody else opened it", async (t) => {
  const { child, reader, lines } = await start(t)
  assert.equal(reader.takes('Debugger attached.'), false)
  child.kill('SIGUSR1')
  await until(() => lines.some((line) => line.startsWith('Debugger listening on')), WAIT)
  assert.equal(listenersOf(child.pid!), 1)
})

test('files are named from the roots, others by their whole path', async (t) => {
  const names = await Promise.all(
    [[ROOT.replace(/\/$/, '')], [fileURLToPath(new URL('../fixtures/children', import.meta.url))], ['/nowhere']].map(
      async (roots) => {
        const { reader, occupy } = await start(t, [], roots)
        await occupy('spin', 60_000)
        return (await reader.read(ANSWER_MS))?.file
      },
    ),
  )
  assert.deepEqual(names, [FILE, 'children/stuck.ts', fileURLToPath(new URL(`../../${FILE}`, import.meta.url))])
})

async function start(t: TestContext, flags: string[] = [], roots: string[] = [process.cwd()]) {
  const file = fileURLToPath(new URL('../fixtures/children/stuck.ts', import.meta.url))
  const path = join(await tempFolder(t), 'let-go')
  const args = ['--disable-warning=ExperimentalWarning', ...INSPECTOR_FLAGS, ...flags, file, path]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  t.after(() => {
    for (const pid of descendantsOf(child.pid!)) signalProcess(pid, 'SIGKILL')
    child.kill('SIGKILL')
  })
  const reader = createStackReader(child.pid!, roots)
  const lines: string[] = []
  const taken: string[] = []
  readLines(child.stderr!, (line) => (reader.takes(line) ? taken : lines).push(line))
  const heard = { free: 0, busy: 0 }
  child.on('message', (word: 'free' | 'busy') => heard[word]++)
  const more = async (word: 'free' | 'busy', count: number) => {
    const before = heard[word]
    await until(() => heard[word] >= before + count, { ...WAIT, what: `the child to be ${word}` })
  }
  const free = () => more('free', 2)
  await free()
  return {
    child,
    reader,
    lines,
    free,
    /** How often its inspector was opened. */
    opened: () => taken.filter((line) => line.startsWith('Debugger listening on')).length,
    /** Resolves when it is busy. */
    async occupy(way: string, ms: number) {
      rmSync(path, { force: true })
      const busy = more('busy', 1)
      child.send({ way, ms })
      await busy
    },
    /** Ends a `spin`. */
    letGo: () => writeFileSync(path, ''),
  }
}

function lineOf(marker: string): number {
  const lines = readFileSync(new URL(`../../${FILE}`, import.meta.url), 'utf8').split('\n')
  return lines.findIndex((line) => line.includes(marker)) + 1
}

function stateOf(pid: number): string {
  return /^State:\s(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? ''
}
