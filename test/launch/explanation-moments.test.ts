/** Asked for a moment, it tells what happened in that moment, and only else what happened around it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChronicleEntry } from '../../src/launch/chronicle.ts'
import { explain } from '../../src/launch/explanation.ts'
import { timeText } from '../../src/launch/explanation-words.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { at, booted, crash, exited, hang, killed, planned, ready, START, spawned, up } from './story-facts.ts'

const parked: LaunchFact = { type: 'child_parked', name: 'io-1', reason: 'exited with code 1', retryMs: 60_000 }
const gone: LaunchFact = { type: 'child_stopped', name: 'io-1', ms: 5, forced: false }
const replacing: LaunchFact = { type: 'child_replacing', name: 'io-1', why: 'restart asked for by ann' }
const asked = (process: string, what: string): LaunchFact => ({ type: 'operator_asked', process, what, by: 'ann' })

type Case = {
  name: string
  /** 14:02:00 when not given. */
  second?: number
  spanMs: number
  entries: ChronicleEntry[]
  is: string
  says?: string
}

/** Killed at 14:02:16; ann asks for a restart at :26, the successor serves at :27, the process before is gone at :29. */
const REPLACED = at(
  [0, booted, ...up('io-1')],
  [16, killed('io-1'), planned('io-1'), spawned('io-1')],
  [17, ready('io-1')],
  [26, asked('io-1', 'a restart'), replacing, spawned('io-1.next', 8)],
  [27, { type: 'child_replaced', name: 'io-1' }, { type: 'child_stopping', name: 'io-1.old' }, ready('io-1')],
  [29, exited('io-1.old', { wanted: false }), { type: 'child_stopped', name: 'io-1.old', ms: 5, forced: false }],
  [84, { type: 'child_hung', name: 'io-1', reason: hang, where: null }],
  [85, exited('io-1', { killedFor: hang, reason: hang })],
)
const REPLACEMENT =
  'io-1 was replaced at 14:02:26, because of this: restart asked for by ann; its successor took over at 14:02:27; ' +
  'the process before ended at 14:02:29.'

/** A process that is added a minute before another trouble. */
const ADDED = at([29, asked('io-1', '2 processes in io'), spawned('io-1')], [30, ready('io-1')], [84, crash('io-1')])

const MOMENTS: Case[] = [
  {
    name: 'an end in its last second, before a nearer one of the minute before',
    spanMs: 60_000,
    entries: at([-3, crash('io-1')], [59, killed('io-1')]),
    is: '14:02:59 exited',
  },
  {
    name: 'an end that nobody wanted, before a stop of the same minute',
    spanMs: 60_000,
    entries: at([2, exited('io-1', { wanted: false })], [3, gone], [30, killed('io-1')], [40, ...up('io-1')]),
    is: '14:02:30 exited',
  },
  {
    name: 'of a crash loop that it was given up',
    spanMs: 60_000,
    entries: at([2, crash('io-1')], [4, crash('io-1')], [5, parked]),
    is: '14:02:05 parked',
  },
  {
    name: 'the first of several ends',
    spanMs: 60_000,
    entries: at([20, crash('io-1')], [40, killed('io-1')]),
    is: '14:02:20 exited',
  },
  {
    name: 'the nearest end of all, when nothing happened in it',
    spanMs: 60_000,
    entries: at([-40, crash('io-1')], [61, ...up('io-1')], [75, killed('io-1')]),
    is: '14:03:15 exited',
  },
  {
    name: 'the nearest end, of a moment in milliseconds',
    spanMs: 0,
    entries: at([-3, crash('io-1')], [59, killed('io-1')]),
    is: '14:01:57 exited',
  },
  {
    name: 'a replacement that began in it, not the crash ten seconds before',
    second: 26,
    spanMs: 1_000,
    entries: REPLACED,
    is: '14:02:26 replacing',
    says: REPLACEMENT,
  },
  {
    name: 'of a replacement that the successor was ready in it',
    second: 27,
    spanMs: 1_000,
    entries: REPLACED,
    is: '14:02:27 ready',
    says: 'io-1 was replaced at 14:02:26, because of this: restart asked for by ann; it was ready at 14:02:27.',
  },
  {
    name: 'the replacement whose last step was in it',
    second: 29,
    spanMs: 1_000,
    entries: REPLACED,
    is: '14:02:26 replacing',
    says: REPLACEMENT,
  },
  {
    name: 'the replacement around it that is nearer than the crash',
    second: 24,
    spanMs: 1_000,
    entries: REPLACED,
    is: '14:02:26 replacing',
    says: REPLACEMENT,
  },
  {
    name: 'a crash, before a replacement of the same minute',
    spanMs: 60_000,
    entries: REPLACED,
    is: '14:02:16 exited',
    says:
      'io-1 ended at 14:02:16, because it was ended by SIGKILL, from outside Showrunner; ' +
      'it was ready again at 14:02:17.',
  },
  {
    name: 'that it was added in that minute, not a crash of the next',
    spanMs: 60_000,
    entries: ADDED,
    is: '14:02:30 ready',
    says: 'io-1 was started at 14:02:29: 2 processes in io, asked for by ann; it was ready at 14:02:30.',
  },
  {
    name: 'the start in that second, not a crash of the next minute',
    second: 29,
    spanMs: 1_000,
    entries: ADDED,
    is: '14:02:29 spawned',
    says: 'io-1 was started at 14:02:29: 2 processes in io, asked for by ann; it was ready at 14:02:30.',
  },
  {
    name: 'an end by hand, before the start that followed',
    spanMs: 60_000,
    entries: at(
      [-30, crash('io-1'), planned('io-1'), ...up('io-1')],
      [3, asked('io-1', 'a restart'), { type: 'child_stopping', name: 'io-1' }],
      [4, exited('io-1', { wanted: false }), gone, spawned('io-1')],
      [5, ready('io-1')],
    ),
    is: '14:02:04 exited',
    says: 'io-1 ended at 14:02:04, because ann asked for it (a restart); it was ready again at 14:02:05.',
  },
  {
    name: 'a silence that passed by, not a crash before it',
    spanMs: 60_000,
    entries: at(
      [-30, crash('io-1'), planned('io-1'), ...up('io-1')],
      [5, { type: 'child_suspected', name: 'io-1', silentMs: 4_000, reason: 'gave no sign of life', where: null }],
      [7, { type: 'child_recovered', name: 'io-1', silentMs: 6_000, where: null }],
    ),
    is: '14:02:05 suspected',
    says: 'io-1 gave no sign of life, noticed at 14:02:05; it gave signs of life again at 14:02:07.',
  },
  {
    name: 'the crash whose jobs were taken back in it',
    second: 5,
    spanMs: 1_000,
    entries: at([-20, crash('io-1')], [4, killed('io-1')], [5, { type: 'jobs_taken_back', worker: 'io-1', jobs: 1 }]),
    is: '14:02:04 exited',
  },
]

for (const { name, second = 0, spanMs, entries, is, says } of MOMENTS)
  test(`asked for a moment of ${spanMs / 1_000} s, it tells ${name}`, () => {
    const query = { process: 'io-1', atMs: START + second * 1_000, spanMs }
    const told = explain(query, { entries, phase: 'ready', nowMs: START + 600_000 })
    const focus = entries.find((entry) => entry.at === told.since && is.endsWith(entry.event))
    assert.equal(focus && `${timeText(Date.parse(focus.at), START)} ${focus.event}`, is)
    if (says) assert.equal(told.summary, says)
  })
