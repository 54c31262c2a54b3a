/** What the first, second and third stop signal mean, and what counts as one press. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  noShutdown,
  onStopCause,
  PARENT_END,
  type ShutdownStep,
  type StopCause,
} from '../../src/supervisor/shutdown.ts'

type Press = [cause: StopCause, atMs: number]

const CASES: { name: string; presses: Press[]; steps: ShutdownStep[]; exitCode: number }[] = [
  { name: 'one Ctrl+C drains', presses: [['SIGINT', 0]], steps: ['drain'], exitCode: 0 },
  {
    name: 'npm delivers it twice',
    presses: [
      ['SIGINT', 100],
      ['SIGINT', 101],
    ],
    steps: ['drain', 'ignore'],
    exitCode: 0,
  },
  {
    name: 'a closing terminal sends two kinds',
    presses: [
      ['SIGHUP', 5],
      ['SIGTERM', 6],
    ],
    steps: ['drain', 'ignore'],
    exitCode: 0,
  },
  {
    name: 'the second hurries',
    presses: [
      ['SIGINT', 0],
      ['SIGINT', 500],
    ],
    steps: ['drain', 'hurry'],
    exitCode: 130,
  },
  {
    name: 'hurried by TERM',
    presses: [
      ['SIGINT', 0],
      ['SIGTERM', 900],
    ],
    steps: ['drain', 'hurry'],
    exitCode: 143,
  },
  {
    name: 'the third kills, and so does every later one',
    presses: [
      ['SIGTERM', 0],
      ['SIGINT', 600],
      ['SIGINT', 700],
      ['SIGINT', 1_200],
      ['SIGINT', 2_000],
    ],
    steps: ['drain', 'hurry', 'ignore', 'kill', 'kill'],
    exitCode: 130,
  },
  { name: 'SIGQUIT kills at once', presses: [['SIGQUIT', 0]], steps: ['kill'], exitCode: 131 },
  {
    name: 'also right after a Ctrl+C; once is enough',
    presses: [
      ['SIGINT', 0],
      ['SIGQUIT', 100],
      ['SIGQUIT', 101],
      ['SIGINT', 900],
    ],
    steps: ['drain', 'kill', 'ignore', 'kill'],
    exitCode: 130,
  },
  {
    name: 'impatient presses escalate each half second, not each time',
    presses: [
      ['SIGINT', 0],
      ['SIGINT', 200],
      ['SIGINT', 400],
      ['SIGINT', 600],
    ],
    steps: ['drain', 'ignore', 'ignore', 'hurry'],
    exitCode: 130,
  },
  { name: "the parent's end drains", presses: [[PARENT_END, 0]], steps: ['drain'], exitCode: 0 },
  {
    name: "the parent's end is no second press, however late it is noticed",
    presses: [
      ['SIGHUP', 0],
      [PARENT_END, 400],
      [PARENT_END, 900],
    ],
    steps: ['drain', 'ignore', 'ignore'],
    exitCode: 0,
  },
  {
    name: "a signal after the parent's end is somebody's impatience",
    presses: [
      [PARENT_END, 0],
      ['SIGTERM', 700],
    ],
    steps: ['drain', 'hurry'],
    exitCode: 143,
  },
]

for (const { name, presses, steps, exitCode } of CASES) {
  test(name, () => {
    let state = noShutdown
    const taken = presses.map(([cause, atMs]) => {
      const turn = onStopCause(state, cause, atMs)
      state = turn.state
      return turn.step
    })
    assert.deepEqual(taken, steps)
    assert.equal(state.exitCode, exitCode)
  })
}
