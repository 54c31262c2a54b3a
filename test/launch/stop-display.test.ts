/** When the lines of a stop are shown: twice a second on a terminal, now and then elsewhere, and never for a quick one. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LaunchFact } from '../../src/launch/facts.ts'
import type { StopView } from '../../src/launch/stop-board.ts'
import { createStopDisplay } from '../../src/launch/stop-display.ts'

const job = { project: 'p', title: 'T', stage: 'render', age_s: 1 }
const BUSY: StopView = { step: 'drain', children: [{ name: 'io-1', jobs: [job], told: false, left_s: 9 }] }
const IDLE: StopView = { step: 'drain', children: [{ name: 'io-1', jobs: [], told: false, left_s: 9 }] }
const STOPPING: LaunchFact = { type: 'stopping', running: [], deadlineS: 23 }
const STOPPED: LaunchFact = { type: 'stopped', ms: 1, left: [], waited: null }

function open(t: TestContext, options: { view: StopView; isTerminal: boolean }) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const shown: string[][] = []
  const said: LaunchFact[] = []
  let forgotten = 0
  const terminal = {
    show: (lines: readonly string[]) => void shown.push([...lines]),
    forget: () => void forgotten++,
    columns: () => 80,
    rows: () => 24,
  }
  const display = createStopDisplay({
    view: () => options.view,
    terminal: options.isTerminal ? terminal : null,
    say: (fact) => void said.push(fact),
  })
  t.after(() => display.note(STOPPED)) // its listener for SIGCONT
  return { ...display, shown, said, forgotten: () => forgotten, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('on a terminal: at once, twice a second, after every change, and taken away at the end', (t) => {
  const { note, shown, said, tick } = open(t, { view: BUSY, isTerminal: true })
  note({ type: 'redis_changed', running: true })
  assert.equal(shown.length, 0, 'nothing stops yet')
  note(STOPPING)
  assert.equal(shown.length, 0, 'the children hear of it first')
  tick(100)
  assert.equal(shown.length, 1)
  tick(900)
  assert.equal(shown.length, 3)
  note({ type: 'child_stopped', name: 'x', ms: 1, forced: false })
  assert.equal(shown.length, 4)
  note(STOPPED)
  assert.deepEqual(shown.at(-1), [])
  tick(5_000)
  assert.equal(shown.length, 5)
  assert.deepEqual(said, [])
})

test('elsewhere: one line per busy process at once, then every five seconds', (t) => {
  const { note, said, tick } = open(t, { view: BUSY, isTerminal: false })
  note(STOPPING)
  tick(100)
  assert.deepEqual(said, [{ type: 'stop_waiting', ...BUSY.children[0] }])
  note({ type: 'child_stopped', name: 'x', ms: 1, forced: false })
  tick(4_800)
  assert.equal(said.length, 1)
  tick(5_100)
  assert.equal(said.length, 3)
  note(STOPPED)
  tick(10_000)
  assert.equal(said.length, 3)
})

for (const isTerminal of [true, false])
  test(`what is over in a moment shows nothing ${isTerminal ? 'on a terminal' : 'elsewhere'}`, (t) => {
    const { note, shown, said, tick } = open(t, { view: IDLE, isTerminal })
    note(STOPPING)
    tick(150)
    note({ type: 'child_stopped', name: 'x', ms: 1, forced: false })
    tick(150)
    note(STOPPED)
    assert.deepEqual([shown.flat(), said], [[], []])
  })

test('after Ctrl+Z and fg the lines of the shell are left alone', (t) => {
  const { note, forgotten } = open(t, { view: BUSY, isTerminal: true })
  note(STOPPING)
  process.emit('SIGCONT')
  assert.equal(forgotten(), 1)
  note(STOPPED)
  assert.equal(process.listenerCount('SIGCONT'), 0)
})
