/** What a person sees of a stop: lines rewritten in place on a terminal, plain lines elsewhere. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import type { RunFile } from '../../src/launch/data-folder.ts'
import { columnsOf } from '../../src/lib/columns.ts'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type StartOptions } from '../helpers/installation.ts'
import { createScreen } from '../helpers/screen.ts'
import { untilStatus } from '../helpers/wait.ts'

const CTRL_C = '\x03'

/** For people, with a deaf stage at work: `film` of "The old house" in media-1. */
async function startBusy(t: TestContext, options: StartOptions) {
  const installation = await createInstallation(t)
  const { layout } = installation
  const gates = createGates(t)
  gates.hold('film-2')
  const env = { LOG_FORMAT: 'pretty', LOG_LEVEL: 'info', TERM: 'xterm', STOP_TIMEOUT_S: '20' }
  const program = installation.launch({ ...options, env })
  await until(() => existsSync(layout.run) && program.output().includes('Ctrl+C'), { timeoutMs: 45_000 })
  const { url } = JSON.parse(await readFile(layout.run, 'utf8')) as RunFile
  const { id } = await createClient({ url }).projects.create({
    pipeline: 'steps',
    title: 'The old house',
    input: { folder: gates.folder, deaf: true },
  })
  await gates.reached('film-2')
  const watchScreen = () => {
    const screen = createScreen()
    screen.write(program.output())
    return screen
  }
  const lines = () =>
    watchScreen()
      .lines()
      .map((line) => line.trimEnd())
  // Also what was there for a moment only: we may look too late.
  const shown = () => [...watchScreen().erased, ...lines()].map((line) => line.trimEnd())
  const see = (what: RegExp) =>
    until(() => shown().some((line) => what.test(line)), { timeoutMs: 15_000, everyMs: 20, what: String(what) })
  return { installation, layout, gates, program, id, lines, see }
}

test('on a terminal: job, age and deadline of each process, what the next Ctrl+C does, and nothing of it at the end', async (t) => {
  const { program, lines, see, installation, gates, layout, id } = await startBusy(t, { via: 'pty', columns: 100 })
  program.type(CTRL_C)
  await see(/^ {2}media-1 +film of "The old house" \(\d+ s\), told to end in \d+ s$/)
  await see(/^ {2}Ctrl\+C again: steps end now, over within 2 s$/)
  const leftS = () => Number(/told to end in (\d+) s/.exec(lines().join('\n'))?.[1])
  const first = leftS()
  await until(() => leftS() <= first - 2, { timeoutMs: 8_000, what: 'the seconds to count down' })
  assert.equal(lines().filter((line) => line.includes('told to end in')).length, 1, 'rewritten, not repeated')
  program.type(CTRL_C)
  await see(/^ {2}Ctrl\+C again: kill everything now$/)
  await see(/^ {2}media-1 +film of "The old house" \(\d+ s\), killed in \d s$/)
  assert.deepEqual(await program.ended(15_000), { code: 130, signal: null })
  const last = lines()
  assert.match(
    last.at(-1)!,
    /^stopped in \d+ ms, no process left; waited \d+\.\d s for film of "The old house" in media-1$/,
  )
  for (const line of last) assert.doesNotMatch(line, /again:|told to end in|killed in/)
  for (const name of ['scheduler', 'io-1', 'media-1', 'api', 'redis'])
    assert.ok(
      last.some((line) => line.includes(`✔ ${name}`)),
      `${name} in ${last.join('\n')}`,
    )
  gates.release('film-2')
  await installation.start()
  await untilStatus({ layout, id }, 'completed')
})

test('on a narrow terminal: every line is cut to it', async (t) => {
  const { program, gates, lines, see } = await startBusy(t, { via: 'pty', columns: 44 })
  program.type(CTRL_C)
  await see(/^ {2}media-1 +film of .*…, told to end in \d+ s$/)
  for (const line of lines().slice(-2)) assert.ok(columnsOf(line) < 44, line)
  gates.release('film-2')
  assert.deepEqual(await program.ended(20_000), { code: 0, signal: null })
})

test('into a file or pipe: one line per busy process, at once and then now and then, without a control character', async (t) => {
  const { program } = await startBusy(t, { via: 'node' })
  program.signal('SIGTERM')
  const waits = () => program.output().match(/^waiting for media-1: film of "The old house" \(\d+ s\), .*$/gm) ?? []
  await until(() => waits().length >= 1, { timeoutMs: 4_500, what: 'the first line' })
  await until(() => waits().length >= 2, { timeoutMs: 10_000, what: 'the second line' })
  program.signal('SIGTERM')
  assert.deepEqual(await program.ended(15_000), { code: 143, signal: null })
  assert.ok(!program.output().includes('\x1b'))
  assert.match(program.output(), /running steps are told to end now/)
  assert.match(program.output(), /waited \d+\.\d s for film of "The old house" in media-1/)
})
