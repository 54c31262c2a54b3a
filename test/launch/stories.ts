/** Stories for the explanations: what happened, and what is to be told of it. */
import type { LaunchFact } from '../../src/launch/facts.ts'
import { booted, charged, crash, exited, hang, killed, planned, ready, spawned, up, where } from './story-facts.ts'

export type Story = {
  name: string
  facts: LaunchFact[]
  process?: string
  phase?: string
  says: string
  /** Events of the chain. */
  chain: string
}

export const STORIES: Story[] = [
  {
    name: 'nothing happened to it',
    facts: [booted, ...up('io-1')],
    says: 'io-1 was started with the program at 14:02:01; it has been ready since 14:02:02.',
    chain: 'booted spawned ready',
  },
  {
    name: 'it hung, and was seen to',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'child_suspected', name: 'io-1', silentMs: 4_000, reason: 'gives no sign of life', where },
      { type: 'child_hung', name: 'io-1', reason: hang, where },
      exited('io-1', { signal: 'SIGKILL', reason: hang, killedFor: hang, where }),
      { type: 'jobs_taken_back', worker: 'io-1', jobs: 2 },
      planned('io-1'),
      ...up('io-1'),
    ],
    says:
      'io-1 was restarted at 14:02:08, because it gave no sign of life for 12.1 s; it was in spin (pipelines/x.ts:14); ' +
      'it has been ready since 14:02:09.',
    chain: 'suspected hung exited jobs_taken_back restart_planned spawned ready',
  },
  {
    name: 'it hangs at present',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'child_suspected', name: 'io-1', silentMs: 4_000, reason: 'gives no sign of life for 4.0 s', where },
    ],
    says: 'io-1 gives no sign of life for 4.0 s, noticed at 14:02:03; it is ended if that goes on.',
    chain: 'suspected',
  },
  {
    name: 'a suspicion that was wrong',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'child_suspected', name: 'io-1', silentMs: 4_000, reason: 'was silent', where },
      { type: 'child_recovered', name: 'io-1', silentMs: 6_000, where },
    ],
    says: 'io-1 was started with the program at 14:02:01; it has been ready since 14:02:02.',
    chain: 'booted spawned ready',
  },
  {
    name: 'somebody killed it',
    facts: [booted, ...up('io-1'), killed('io-1'), planned('io-1'), ...up('io-1')],
    says:
      'io-1 was restarted at 14:02:05, because it was ended by SIGKILL, from outside Showrunner; ' +
      'it has been ready since 14:02:06.',
    chain: 'exited restart_planned spawned ready',
  },
  {
    name: 'a stage killed it, as somebody outside could have',
    facts: [booted, ...up('io-1'), killed('io-1'), charged('io-1'), planned('io-1'), ...up('io-1')],
    says:
      'io-1 was restarted at 14:02:06, because it was ended by SIGKILL (by boom of p1); ' +
      'it has been ready since 14:02:07.',
    chain: 'exited death_charged restart_planned spawned ready',
  },
  {
    name: 'it crashed, and its output says why',
    facts: [booted, ...up('io-1'), crash('io-1'), planned('io-1', 4_000)],
    phase: 'backoff',
    says: 'io-1 ended at 14:02:03, because it exited with code 1 (TypeError: no); the next try is at 14:02:08.',
    chain: 'exited restart_planned',
  },
  {
    name: 'a fault of its own ended it by a signal',
    facts: [
      booted,
      ...up('io-1'),
      exited('io-1', { signal: 'SIGSEGV', reason: 'was ended by SIGSEGV' }),
      planned('io-1'),
    ],
    phase: 'backoff',
    says: 'io-1 ended at 14:02:03, because it was ended by SIGSEGV; it is being started again.',
    chain: 'exited restart_planned',
  },
  {
    name: 'it crashed too often',
    facts: [
      booted,
      ...[1, 2, 3].flatMap(() => [...up('io-1'), crash('io-1'), planned('io-1')]).slice(0, -1),
      { type: 'child_parked', name: 'io-1', reason: 'exited with code 1', retryMs: 60_000 },
    ],
    phase: 'parked',
    says:
      'io-1 is not kept running since 14:02:12: it ended 3 times within a minute, the last time at 14:02:11, ' +
      'because it exited with code 1 (TypeError: no); the next try is at 14:03:12.',
    chain: 'exited parked',
  },
  {
    name: 'it asked not to be started again',
    facts: [
      booted,
      spawned('io-1'),
      exited('io-1', { code: 78, reason: 'exited with code 78' }),
      { type: 'child_parked', name: 'io-1', reason: 'exited with code 78', retryMs: null },
    ],
    phase: 'parked',
    says:
      'io-1 is not kept running since 14:02:03: it ended at 14:02:02, because it exited with code 78; ' +
      'it is started again only by hand.',
    chain: 'exited parked',
  },
  {
    name: 'it was replaced because somebody wanted that',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'operator_asked', process: 'io-1', what: 'a restart', by: 'ann' },
      { type: 'child_replacing', name: 'io-1', why: 'restart asked for by ann' },
      spawned('io-1.next', 8),
      { type: 'child_replaced', name: 'io-1' },
      { type: 'child_stopping', name: 'io-1.old' },
      ready('io-1'),
      exited('io-1.old', { code: 0, wanted: false, reason: 'exited with code 0' }),
      { type: 'child_stopped', name: 'io-1.old', ms: 5, forced: false },
    ],
    says: 'io-1 was replaced at 14:02:05, because of this: restart asked for by ann; it has been ready since 14:02:08.',
    chain: 'operator_asked replacing spawned replaced stopping ready',
  },
  {
    name: 'the successor did not come up',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'child_replacing', name: 'io-1', why: 'it holds 600 MB' },
      spawned('io-1.next', 8),
      exited('io-1.next', { code: 1 }),
      { type: 'child_replace_failed', name: 'io-1', reason: 'exited with code 1' },
    ],
    says: 'io-1 was started with the program at 14:02:01; it has been ready since 14:02:02.',
    chain: 'booted spawned ready',
  },
  {
    name: 'it was given up by hand and started by hand',
    facts: [
      booted,
      spawned('io-1'),
      crash('io-1'),
      { type: 'child_parked', name: 'io-1', reason: 'exited with code 1', retryMs: null },
      { type: 'operator_asked', process: 'io-1', what: 'a restart', by: 'ann' },
      ...up('io-1'),
    ],
    says: 'io-1 was started at 14:02:05: a restart, asked for by ann; it has been ready since 14:02:06.',
    chain: 'operator_asked spawned ready',
  },
  {
    name: 'it was added',
    facts: [booted, { type: 'operator_asked', process: 'io-2', what: '2 processes in io', by: 'ann' }, ...up('io-2')],
    process: 'io-2',
    says: 'io-2 was started at 14:02:02: 2 processes in io, asked for by ann; it has been ready since 14:02:03.',
    chain: 'operator_asked spawned ready',
  },
  {
    name: 'it was taken out while it was given up',
    facts: [
      booted,
      spawned('io-2'),
      crash('io-2'),
      { type: 'child_parked', name: 'io-2', reason: 'exited with code 1', retryMs: 60_000 },
      { type: 'operator_asked', process: 'io-2', what: '1 process in io', by: 'ann' },
      { type: 'child_stopped', name: 'io-2', ms: 0, forced: false },
    ],
    process: 'io-2',
    phase: 'gone',
    says: 'io-2 was stopped at 14:02:05, because ann asked for it (1 process in io).',
    chain: 'operator_asked stopped',
  },
  {
    name: 'the program stops',
    facts: [
      booted,
      ...up('io-1'),
      { type: 'stop_asked', signal: 'SIGTERM' },
      { type: 'stopping', running: [], deadlineS: 23 },
      { type: 'child_stopping', name: 'io-1' },
    ],
    phase: 'stopping',
    says: 'io-1 is being stopped since 14:02:05, because the program was stopped by SIGTERM.',
    chain: 'supervisor:stop_asked supervisor:stopping stopping',
  },
]
