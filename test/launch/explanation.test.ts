/** What is told of a process: each story of facts gives its sentence, its causes and its state. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../src/launch/explanation.ts'
import { STORIES } from './stories.ts'
import { booted, crash, planned, record, START, stopped, up } from './story-facts.ts'

for (const { name, facts, process = 'io-1', phase = 'ready', says, chain } of STORIES)
  test(name, () => {
    const told = explain({ process }, { entries: record(facts), phase, nowMs: START + 120_000 })
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
  const before = { clean: false, at: first.at(-1)!.at }
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
  assert.equal(never.summary, 'Nothing happened to io-1 within ten minutes of 2026-11-22 14:02:00.')
})

test('no server runs: what is told is the past, and how the program ended', () => {
  const killed = record([booted, ...up('io-1')])
  const told = explain({ process: 'io-1' }, { entries: killed, phase: null, nowMs: START + 120_000 })
  assert.equal(
    told.summary,
    'The program ended without a stop (killed, or the power failed), last heard of at 14:02:02. Before that: io-1 was started with the program at 14:02:01; it was ready since 14:02:02.',
  )
  assert.equal(told.state, 'not running')
  const clean = explain(
    { process: 'io-1' },
    { entries: record([booted, ...up('io-1'), stopped]), phase: null, nowMs: START },
  )
  assert.match(clean.summary, /^The program was stopped at 14:02:03\. Before that: io-1 was started/)
})

test('of a process that nobody knows nothing is told, and causes that are gone from the record do no harm', () => {
  const all = record([booted, ...up('io-1'), crash('io-1'), planned('io-1'), ...up('io-1')])
  const cut = all.slice(4)
  assert.match(
    explain({ process: 'io-1' }, { entries: cut, phase: 'ready', nowMs: START }).summary,
    /ready since 14:02:06/,
  )
  assert.equal(
    explain({ process: 'x' }, { entries: all, phase: 'gone', nowMs: START }).summary,
    'Nothing is recorded of x.',
  )
})
