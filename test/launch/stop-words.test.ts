/** The lines of a stop: the deadline is the last thing that a narrow terminal loses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoppingChild } from '../../src/launch/stop-board.ts'
import { outerLimitLine, stopLines, waitedWords, waitingLine } from '../../src/launch/stop-words.ts'
import { columnsOf } from '../../src/lib/columns.ts'

const render = { project: 'p', title: 'My film', stage: 'render', age_s: 134 }
const media: StoppingChild = { name: 'media-1', jobs: [render], told: false, left_s: 12 }
const WIDE = { columns: 100, rows: 24 }

test('each process: its job, its age, its deadline; then what the next Ctrl+C does', () => {
  const io = {
    name: 'io-1',
    jobs: [
      { ...render, age_s: 3 },
      { ...render, title: 'A', age_s: 4_000 },
    ],
    told: true,
    left_s: 4,
  }
  const idle = { name: 'scheduler', jobs: [], told: false, left_s: 18 }
  assert.deepEqual(stopLines({ step: 'drain', children: [media, io, idle] }, WIDE), [
    '  media-1     render of "My film" (2 min 14 s), told to end in 12 s',
    '  io-1        render of "A" (1 h 6 min) and 1 more, killed in 4 s',
    '  scheduler   ending',
    '  Ctrl+C again: steps end now, over within 2 s',
  ])
})

test('the last line says what the next Ctrl+C does', () => {
  const last = (step: 'drain' | 'hurry' | 'kill') => stopLines({ step, children: [] }, WIDE).at(-1)
  assert.match(last('drain')!, /steps end now, over within 2 s/)
  assert.match(last('hurry')!, /kill everything now/)
  assert.match(last('kill')!, /killing everything/)
})

test('no line is wider than the terminal, and a long title gives way to the deadline', () => {
  const long = { ...media, jobs: [{ ...render, title: '山の上のホテル'.repeat(9) }] }
  for (const columns of [20, 40, 50, 60, 80]) {
    const lines = stopLines({ step: 'drain', children: [long] }, { columns, rows: 24 })
    for (const line of lines) assert.ok(columnsOf(line) < columns, line)
    if (columns >= 50) assert.match(lines[0]!, /told to end in 12 s$/)
  }
})

test('no more lines than the terminal has', () => {
  const children = Array.from({ length: 40 }, (_, i) => ({ ...media, name: `media-${i}` }))
  const lines = stopLines({ step: 'drain', children }, { columns: 80, rows: 10 })
  assert.ok(lines.length < 10)
  assert.match(lines.at(-2)!, /and 34 more processes/)
})

test('a title cannot order the terminal about', () => {
  const bad = { ...media, jobs: [{ ...render, title: 'x\x1b[2J\ny' }] }
  assert.match(waitingLine(bad), /render of "x y"/)
})

test('what took the time, and what the outside allows', () => {
  const job = { project: 'p', title: 'My film', stage: 'render' }
  assert.equal(waitedWords({ ms: 14_230, process: 'media-1', job }), 'waited 14.2 s for render of "My film" in media-1')
  assert.equal(waitedWords({ ms: 3_000, process: 'redis', job: null }), 'waited 3.0 s for redis')
  assert.equal(outerLimitLine(null), null)
  assert.equal(outerLimitLine({ by: 'kubernetes', seconds: 30 }), null)
  for (const [by, fix] of [
    ['docker', 'docker run --stop-timeout 40 -e STOP_TIMEOUT_S=40'],
    ['systemd', 'TimeoutStopSec=40'],
    ['kubernetes', 'terminationGracePeriodSeconds: 40'],
    ['setting', 'STOP_TIMEOUT_S=40'],
  ] as const)
    assert.ok(outerLimitLine({ by, seconds: 10 })?.includes(fix), by)
})
