/** What is told of a process: each story of facts gives its sentence, its causes and its state. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../src/launch/explanation.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { REDIS_STORIES } from './redis-stories.ts'
import { STORIES } from './stories.ts'
import { booted, crash, exited, planned, programReady, record, START, stopped, up } from './story-facts.ts'

for (const { name, facts, process = 'io-1', phase = 'ready', says, chain } of [...STORIES, ...REDIS_STORIES])
  test(name, () => {
    const entries = record(facts)
    const told = explain({ process }, { entries, phase, nowMs: Date.parse(entries.at(-1)!.at) + 500 })
    assert.equal(told.summary, says)
    const events = told.chain.map((entry) =>
      entry.process === process || ['booted', 'operator_asked'].includes(entry.event)
        ? entry.event
        : `${entry.process}:${entry.event}`,
    )
    assert.equal(events.join(' '), chain)
    assert.equal(told.state, phase)
  })

test('the run before ended without a stop: it is known, and what happened in it too', () => {
  const first = record([booted, ...up('io-1'), crash('io-1'), planned('io-1'), ...up('io-1')])
  const before = { how: 'lost' as const, reason: null, at: first.at(-1)!.at, heard: true }
  const all = record([{ type: 'booted', version: '1.0.0', pid: 2, before }, ...up('io-1')], first, 'r2')
  const now = explain({ process: 'io-1' }, { entries: all, phase: 'ready', nowMs: START + 200_000 })
  assert.equal(
    now.summary,
    'io-1 was started with the program at 14:03:07, because the run before had ended without a stop (killed, or the power failed; last heard of at 14:02:06); it has been ready since 14:03:08.',
  )
  assert.ok(now.history.some(({ event, run }) => event === 'exited' && run === 'r1'))
  const then = explain(
    { process: 'io-1', atMs: START + 10_000 },
    { entries: all, phase: 'ready', nowMs: START + 200_000 },
  )
  assert.equal(
    then.summary,
    'io-1 ended at 14:02:03, because it exited with code 1 (TypeError: no); it was ready again at 14:02:06.',
  )
  const never = explain({ process: 'io-1', atMs: START - 86_400_000 }, { entries: all, phase: 'ready', nowMs: START })
  assert.equal(
    never.summary,
    'Nothing is recorded of io-1 within ten minutes of 2026-11-22 14:02:00; the record begins at 14:02:00.',
  )
  const early = explain({ process: 'io-1', atMs: START - 60_000 }, { entries: first, phase: 'ready', nowMs: START })
  assert.match(early.summary, /^The record begins at 14:02:00, after that moment\. io-1 ended at 14:02:03/)
  const quiet = explain({ process: 'io-1', atMs: START + 3_600_000 }, { entries: all, phase: 'ready', nowMs: START })
  assert.equal(quiet.summary, 'Nothing happened to io-1 within ten minutes of 15:02:00.')
})

test('a crash that parked it and was then forgiven: what counts is the start that followed', () => {
  const forgiven: LaunchFact = { type: 'child_restart_planned', name: 'io-1', afterMs: 250, free: true }
  const entries = record([booted, ...up('io-1'), crash('io-1'), parked, forgiven])
  const told = explain({ process: 'io-1', atMs: START + 3_000 }, { entries, phase: 'backoff', nowMs: START + 5_000 })
  assert.match(told.summary, /^io-1 ended at .*, because it exited with code 1 .*; it is being started again\.$/)
})

test('no server runs: what is told is the past, and how the program ended', () => {
  const killed = record([booted, ...up('io-1')])
  const told = explain({ process: 'io-1' }, { entries: killed, phase: null, nowMs: START + 120_000 })
  assert.equal(
    told.summary,
    'The program ended without a stop (killed, or the power failed), last change at 14:02:02. Before that: io-1 was started with the program at 14:02:01; it was ready at 14:02:02.',
  )
  assert.equal(told.state, 'not running')
  const heardMs = START + 61_000
  const heard = explain({ process: 'io-1' }, { entries: killed, phase: null, nowMs: START + 120_000, heardMs })
  assert.match(heard.summary, /^The program ended without a stop \(.*\), last heard of at 14:03:01\. Before that: io-1/)
  const clean = explain(
    { process: 'io-1' },
    { entries: record([booted, ...up('io-1'), stopped]), phase: null, nowMs: START },
  )
  assert.match(clean.summary, /^The program was stopped at 14:02:03\. Before that: io-1 was started/)
})

const end = exited('io-1', { signal: 'SIGKILL', reason: 'was ended by SIGKILL', wanted: false })
const gone: LaunchFact = { type: 'child_stopped', name: 'io-1', ms: 5, forced: false }
const parked: LaunchFact = { type: 'child_parked', name: 'io-1', reason: 'exited with code 1', retryMs: 60_000 }
const PORT = 'Port 8000 is taken by process 7 (node)'
const OVER: { name: string; facts: LaunchFact[]; process?: string; says: string }[] = [
  {
    name: 'the program could not be started',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'child_stopping', name: 'io-1' },
      { type: 'boot_failed', reason: PORT },
      end,
    ],
    says:
      `The program could not be started at 14:02:04 (${PORT}). ` +
      'io-1 ended at 14:02:05, because the program could not be started.',
  },
  {
    name: 'an unexpected error ended it',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'faulted', reason: 'x is not a function\nat y' },
      { type: 'child_stopping', name: 'io-1' },
      end,
    ],
    says:
      'An unexpected error ended the program at 14:02:03 (x is not a function). ' +
      'io-1 ended at 14:02:05, because of an unexpected error (x is not a function).',
  },
  {
    name: 'it was stopped, another process first',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'stop_asked', signal: 'SIGTERM' },
      { ...gone, name: 'media-1' },
      { type: 'child_stopping', name: 'io-1' },
      gone,
      stopped,
    ],
    says:
      'The program was stopped at 14:02:07. ' +
      'Before that: io-1 was stopped at 14:02:06, because the program was stopped by SIGTERM.',
  },
  {
    name: 'the program itself: it could not be started',
    facts: [booted, { type: 'boot_failed', reason: `${PORT}.\nMore` }],
    process: 'supervisor',
    says: `Showrunner could not be started at 14:02:01: ${PORT}.`,
  },
  {
    name: 'the program itself: an unexpected error ended it',
    facts: [booted, { type: 'faulted', reason: 'x is not a function' }],
    process: 'supervisor',
    says: 'Showrunner was ended by an unexpected error at 14:02:01: x is not a function.',
  },
  {
    name: 'the program itself was killed',
    facts: [booted, ...up('io-1'), programReady],
    process: 'supervisor',
    says:
      'The program ended without a stop (killed, or the power failed), last change at 14:02:03. ' +
      'Before that: Showrunner was started at 14:02:00; it was ready at 14:02:03.',
  },
  {
    name: 'the program itself was stopped',
    facts: [
      booted,
      { type: 'stop_asked', signal: 'SIGINT' },
      { type: 'stopping', running: [], deadlineS: 20 },
      stopped,
    ],
    process: 'supervisor',
    says: 'Showrunner was stopped at 14:02:03 by SIGINT.',
  },
]
for (const { name, facts, process = 'io-1', says } of OVER)
  test(`no server runs: ${name}`, () => {
    const told = explain({ process }, { entries: record(facts), phase: null, nowMs: START + 120_000 })
    assert.equal(told.summary, says)
  })

test('the last try to start did not come so far: what is told is of the run before', () => {
  const asked: LaunchFact[] = [
    { type: 'stop_asked', signal: 'SIGINT' },
    { type: 'child_stopping', name: 'io-1' },
  ]
  const first = record([booted, ...up('io-1'), ...asked, gone, stopped])
  const entries = record([booted, { type: 'boot_failed', reason: PORT }], first, 'r2')
  assert.equal(
    explain({ process: 'io-1' }, { entries, phase: null, nowMs: START + 120_000 }).summary,
    `The program could not be started at 14:03:07 (${PORT}). ` +
      'Before that: io-1 was stopped at 14:02:05, because the program was stopped by SIGINT.',
  )
})

test('an end of the run before that was a fault is a reason to start', () => {
  const before = { how: 'faulted' as const, reason: 'x is not a function', at: new Date(START - 60_000).toISOString() }
  const entries = record([{ type: 'booted', version: '1.0.0', pid: 2, before }, ...up('io-1')])
  assert.equal(
    explain({ process: 'io-1' }, { entries, phase: 'ready', nowMs: START + 120_000 }).summary,
    'io-1 was started with the program at 14:02:01, because an unexpected error had ended the run before at 14:01:00 (x is not a function); it has been ready since 14:02:02.',
  )
})

test('of a process that nobody knows nothing is told, and causes that are gone from the record do no harm', () => {
  const all = record([booted, ...up('io-1'), crash('io-1'), planned('io-1'), ...up('io-1')])
  const cut = all.slice(4)
  assert.equal(
    explain({ process: 'io-1' }, { entries: cut, phase: 'ready', nowMs: START }).summary,
    'io-1 was started at 14:02:05; it has been ready since 14:02:06.',
  )
  assert.equal(
    explain({ process: 'x' }, { entries: all, phase: 'gone', nowMs: START }).summary,
    'Nothing is recorded of x.',
  )
})
