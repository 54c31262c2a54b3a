/** What is over is told as over: the run has ended, or the moment has passed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChronicleEntry } from '../../src/launch/chronicle.ts'
import { explain } from '../../src/launch/explanation.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { at, booted, crash, exited, hang, programReady, ready, START, spawned, up } from './story-facts.ts'

type Case = {
  name: string
  entries: ChronicleEntry[]
  process?: string
  /** Seconds after 14:02:00 for which it is asked, one second long. */
  at?: number
  /** No server runs. */
  isOver?: boolean
  now?: number
  says: string
}

const suspected: LaunchFact = { type: 'child_suspected', name: 'io-1', silentMs: 4_000, reason: hang, where: null }
const hung: LaunchFact = { type: 'child_hung', name: 'io-1', reason: hang, where: null }
const stopping: LaunchFact = { type: 'child_stopping', name: 'io-1' }
const missed: LaunchFact = { type: 'child_boot_missed', name: 'io-1', deadlineMs: 15_000 }
const planned = (afterMs: number): LaunchFact => ({ type: 'child_restart_planned', name: 'io-1', afterMs, free: false })
const parked: LaunchFact = { type: 'child_parked', name: 'io-1', reason: 'exited with code 1', retryMs: 60_000 }
const condemned = exited('io-1', { killedFor: hang, reason: hang })
const crashed = 'because it exited with code 1 (TypeError: no)'
const LOST = 'The program ended without a stop (killed, or the power failed), last change at'

const SILENCE = at(
  [0, booted, ...up('io-1')],
  [9, suspected],
  [17, hung],
  [18, condemned, planned(0)],
  [19, ...up('io-1')],
)
/** Two ends and a third one that gave it up, tried again a minute later. */
const LOOP = at(
  [0, booted, ...up('io-1')],
  [10, crash('io-1'), planned(0), spawned('io-1')],
  [11, crash('io-1'), planned(1_000)],
  [12, spawned('io-1')],
  [13, crash('io-1'), parked],
)
const LOOP_AND_BACK = [...LOOP, ...at([73, ...up('io-1')]).map((entry) => ({ ...entry, id: entry.id + LOOP.length }))]

const CASES: Case[] = [
  {
    name: 'an order to stop, of a program that an error has ended',
    entries: at([0, booted, ...up('io-1')], [52, { type: 'faulted', reason: 'x is not a function' }, stopping]),
    isOver: true,
    says:
      'An unexpected error ended the program at 14:02:52 (x is not a function). ' +
      'io-1 was being stopped from 14:02:52 on, because of an unexpected error (x is not a function).',
  },
  {
    name: 'a silence, of a program that was killed',
    entries: at([0, booted, ...up('io-1')], [9, suspected]),
    isOver: true,
    says: `${LOST} 14:02:09. Before that: io-1 ${hang}, noticed at 14:02:09.`,
  },
  {
    name: 'a kill for a silence, of a program that was killed',
    entries: at([0, booted, ...up('io-1')], [9, suspected], [17, hung]),
    isOver: true,
    says: `${LOST} 14:02:17. Before that: io-1 was being ended from 14:02:17 on, because it ${hang}.`,
  },
  {
    name: 'a start that was too slow, of a program that was killed',
    entries: at([0, booted, spawned('io-1')], [15, missed]),
    isOver: true,
    says: `${LOST} 14:02:15. Before that: io-1 was being ended from 14:02:15 on, because it was not ready within 15 s.`,
  },
  {
    name: 'a start that was too slow, at present',
    entries: at([0, booted, spawned('io-1')], [15, missed]),
    says: 'io-1 is being ended since 14:02:15, because it was not ready within 15 s.',
  },
  {
    name: 'a start, of a program that was killed',
    entries: at([0, booted, spawned('io-1')]),
    isOver: true,
    says: `${LOST} 14:02:00. Before that: io-1 was started with the program at 14:02:00; it was not ready yet.`,
  },
  {
    name: 'a start, at present',
    entries: at([0, booted, spawned('io-1')]),
    says: 'io-1 was started with the program at 14:02:00; it is not ready yet.',
  },
  {
    name: 'a start before it was ready',
    entries: at([0, booted, spawned('io-1')], [1, ready('io-1')]),
    at: 0,
    says: 'io-1 was started with the program at 14:02:00; it was ready at 14:02:01.',
  },
  {
    name: 'a start that came to nothing',
    entries: LOOP,
    at: 12,
    says: `io-1 was restarted at 14:02:12, ${crashed}; it was not ready yet at 14:02:13, when it ended.`,
  },
  {
    name: 'a silence for which it was ended',
    entries: SILENCE,
    at: 9,
    says: `io-1 ${hang}, noticed at 14:02:09; it ended at 14:02:18; it was ready again at 14:02:19.`,
  },
  {
    name: 'a kill for a silence',
    entries: SILENCE,
    at: 17,
    says: `io-1 was being ended from 14:02:17 on, because it ${hang}; it ended at 14:02:18; it was ready again at 14:02:19.`,
  },
  {
    name: 'an end after which it was started and ended again, and is given up by now',
    entries: LOOP,
    at: 10,
    says: `io-1 ended at 14:02:10, ${crashed}; it was started again at 14:02:10, and ended again at 14:02:11.`,
  },
  {
    name: 'a try that has been made since',
    entries: LOOP,
    at: 11,
    says: `io-1 ended at 14:02:11, ${crashed}; it was started again at 14:02:12, and ended again at 14:02:13.`,
  },
  {
    name: 'that it was given up, and still is',
    entries: LOOP,
    at: 13,
    says: `io-1 is not kept running since 14:02:13: it ended 3 times within a minute, the last time at 14:02:13, ${crashed}; the next try is at 14:03:13.`,
  },
  {
    name: 'that it was given up, and serves again',
    entries: LOOP_AND_BACK,
    at: 13,
    says: `io-1 was given up at 14:02:13: it ended 3 times within a minute, the last time at 14:02:13, ${crashed}; it was ready again at 14:03:13.`,
  },
  {
    name: 'that it was given up, of a program that was killed',
    entries: LOOP,
    isOver: true,
    says: `${LOST} 14:02:13. Before that: io-1 was given up at 14:02:13: it ended 3 times within a minute, the last time at 14:02:13, ${crashed}.`,
  },
  {
    name: 'a try that is due',
    entries: at([0, booted, ...up('io-1')], [1, crash('io-1'), planned(4_000)]),
    now: 5,
    says: `io-1 ended at 14:02:01, ${crashed}; it is being started again.`,
  },
  {
    name: 'a Redis that answers again',
    entries: at(
      [0, booted],
      [5, { type: 'redis_changed', running: false }],
      [8, { type: 'redis_changed', running: true }],
    ),
    process: 'redis',
    at: 5,
    says: 'Redis did not answer from 14:02:05 on; it answered again at 14:02:08.',
  },
  {
    name: 'the program itself, started a second before it was ready',
    entries: at([0, booted], [1, programReady]),
    process: 'supervisor',
    says: 'Showrunner was started at 14:02:00; it has been ready since 14:02:01.',
  },
  {
    name: 'a stop of the program that was killed in the middle of it',
    entries: at(
      [0, booted],
      [5, { type: 'stop_asked', signal: 'SIGTERM' }, { type: 'stopping', running: [], deadlineS: 20 }],
    ),
    process: 'supervisor',
    isOver: true,
    says: `${LOST} 14:02:05. Before that: Showrunner was being stopped from 14:02:05 on by SIGTERM.`,
  },
]

for (const { name, entries, process = 'io-1', at, isOver = false, now = 14, says } of CASES)
  test(`${name}${at === undefined ? '' : ', asked for later'}`, () => {
    const moment = at === undefined ? {} : { atMs: START + at * 1_000, spanMs: 1_000 }
    const sources = { entries, phase: isOver ? null : 'ready', nowMs: START + now * 1_000 }
    assert.equal(explain({ process, ...moment }, sources).summary, says)
  })
