/** Stories in which Redis, ours or not, goes away and comes back. */
import type { Story } from './stories.ts'
import { booted, crash, killed, planned, up } from './story-facts.ts'

export const REDIS_STORIES: Story[] = [
  {
    name: 'Redis was lost, and it could not go on',
    facts: [
      booted,
      ...up('redis'),
      ...up('io-1'),
      killed('redis'),
      crash('io-1'),
      planned('io-1', 250),
      planned('redis'),
      ...up('redis'),
      ...up('io-1'),
    ],
    says:
      'io-1 was restarted at 14:02:11, because Redis was lost at 14:02:05; then it exited with code 1 (TypeError: no); ' +
      'it has been ready since 14:02:12.',
    chain: 'redis:exited exited restart_planned spawned ready',
  },
  {
    name: 'a crash after Redis was back is its own',
    facts: [booted, ...up('redis'), ...up('io-1'), killed('redis'), ...up('redis'), crash('io-1'), planned('io-1')],
    phase: 'backoff',
    says: 'io-1 ended at 14:02:08, because it exited with code 1 (TypeError: no); it is being started again.',
    chain: 'exited restart_planned',
  },
  {
    name: 'Redis that is ours was killed, and answers again',
    facts: [
      booted,
      ...up('redis'),
      killed('redis'),
      { type: 'redis_changed', running: false },
      planned('redis'),
      ...up('redis'),
      { type: 'redis_changed', running: true },
    ],
    process: 'redis',
    says:
      'redis was restarted at 14:02:06, because it was ended by SIGKILL, from outside Showrunner; ' +
      'it has been ready since 14:02:07.',
    chain: 'exited redis_changed restart_planned spawned ready',
  },
  {
    name: 'Redis that is ours hangs',
    facts: [booted, ...up('redis'), { type: 'redis_changed', running: false }],
    process: 'redis',
    says: 'Redis has not answered since 14:02:03.',
    chain: 'redis_changed',
  },
  {
    name: 'Redis that is not ours went away',
    facts: [booted, { type: 'redis_changed', running: false }],
    process: 'redis',
    phase: 'attached',
    says: 'Redis has not answered since 14:02:01.',
    chain: 'redis_changed',
  },
]
