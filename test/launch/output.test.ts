/** A reader of standard output that stalls costs lines, not memory; how the program ended it still learns. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'

const TALKER = join(import.meta.dirname, '../fixtures/children/talker.ts')
const LINES = 200_000

function start(t: TestContext): ChildProcess {
  const child = fork(TALKER, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Resolves with what waits to be read then. */
async function order(child: ChildProcess, what: { from: number; lines: number; end?: boolean }): Promise<number> {
  child.send(what)
  const [waiting] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  return waiting
}

function read(child: ChildProcess): () => string[] {
  let text = ''
  child.stdout!.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  return () => text.split('\n').slice(0, -1)
}

/** Lines without a gap, the notice of one, and what follows. */
function assertGap(lines: string[], after: (string | number)[]): void {
  const words = lines.map((line) => (line.startsWith('left') ? line : line.split(' ')[0]!))
  const gap = words.findIndex((word) => word.startsWith('left'))
  assert.deepEqual(
    words.slice(0, gap),
    Array.from({ length: gap }, (_, n) => String(n)),
  )
  assert.ok(gap > 1_000 && gap < LINES / 2, `${gap} lines came through`)
  assert.deepEqual(words.slice(gap), [`left out ${LINES - gap}`, ...after.map(String)])
}

test('lines that nobody reads are counted, and said when the reader has caught up', async (t) => {
  const child = start(t)
  const waiting = await order(child, { from: 0, lines: LINES })
  assert.ok(waiting < 1.2 * 2 ** 20, `${waiting} characters wait`)
  const lines = read(child)
  await until(() => lines().at(-1)?.startsWith('left'), { timeoutMs: 20_000, what: 'the notice' })
  await order(child, { from: LINES, lines: 2 })
  await until(
    () =>
      lines()
        .at(-1)
        ?.startsWith(`${LINES + 1} `),
    { timeoutMs: 20_000, what: 'the lines after it' },
  )
  assertGap(lines(), [LINES, LINES + 1])
})

test('the last lines are written whatever waits, and read before the program ends', async (t) => {
  const child = start(t)
  await order(child, { from: 0, lines: LINES })
  const lines = read(child)
  child.stdout!.pause()
  const closed = once(child, 'close')
  const ended = order(child, { from: LINES, lines: 0, end: true })
  child.stdout!.resume()
  await ended
  await closed
  assertGap(lines(), ['stopped'])
})

test('who never reads does not keep the program from its end', async (t) => {
  const child = start(t)
  const exited = once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
  await order(child, { from: 0, lines: LINES, end: true })
  assert.deepEqual(await exited, [0, null])
})
