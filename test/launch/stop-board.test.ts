/** What a stop says it waits for, on a clock that the test turns. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createStopBoard } from '../../src/launch/stop-board.ts'
import type { HeldJob } from '../../src/queue/job.ts'
import type { ChildStatus } from '../../src/supervisor/child-record.ts'

const NOW = Date.parse('2026-11-23T14:02:00Z')

type Process = { name: string; slot?: string; jobs: HeldJob[] }

function open(t: TestContext, processes: Process[]) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: NOW })
  const running = new Map(processes.map((one) => [one.name, one]))
  let nowMs = 1_000
  let killAtMs = 24_000
  const board = createStopBoard({
    children: () =>
      processes.map(({ name, slot = name }) => {
        const pid = running.has(name) ? 1 : null
        return { name, slot, pid, phase: pid ? 'stopping' : 'stopped' } as ChildStatus
      }),
    jobs: ({ name }) => running.get(name)?.jobs ?? [],
    killInMs: () => killAtMs - nowMs,
    titleOf: async (id) => {
      if (id === 'gone') throw new Error('it was deleted')
      return `Title of ${id}`
    },
    now: () => nowMs,
  })
  t.after(board.end)
  return {
    ...board,
    end: (name: string) => running.delete(name),
    killAt(ms: number) {
      killAtMs = ms
    },
    pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 100) {
        nowMs += 100
        t.mock.timers.tick(100)
      }
    },
  }
}

const since = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString()
const job = (projectId: string, ageS: number) =>
  ({ projectId, stage: 'render', taskId: `${projectId}-1`, since: since(ageS) }) as HeldJob
const ABORT_AT_MS = 19_000

test('who still works, on what, since when, and how long it may', async (t) => {
  const board = open(t, [
    { name: 'media-1', jobs: [job('p', 134)] },
    { name: 'io-1', jobs: [] },
    { name: 'redis', jobs: [] },
  ])
  board.expect(['media-1', 'io-1'], ABORT_AT_MS)
  board.view()
  await Promise.resolve()
  const media = { name: 'media-1', told: false, left_s: 18 }
  const jobs = [{ project: 'p', title: 'Title of p', stage: 'render', age_s: 134 }]
  assert.deepEqual(board.view(), {
    step: 'drain',
    children: [
      { ...media, jobs },
      { ...media, name: 'io-1', jobs: [] },
    ],
  })
  board.end('io-1')
  board.pass(18_500)
  assert.deepEqual(board.view().children, [
    { ...media, told: true, left_s: 5, jobs: jobs.map((one) => ({ ...one, age_s: 153 })) },
  ])
})

test('a second Ctrl+C: told at once, and less time is left', (t) => {
  const board = open(t, [{ name: 'media-1', jobs: [job('gone', 1)] }])
  board.expect(['media-1'], ABORT_AT_MS)
  board.pass(2_000)
  board.killAt(1_000 + 2_000 + 1_500)
  board.escalate('hurry')
  const { step, children } = board.view()
  assert.deepEqual([step, children[0]!.told, children[0]!.left_s], ['hurry', true, 2])
  assert.equal(children[0]!.jobs[0]!.title, 'gone', 'a project that cannot be read is shown by its id')
})

test('how long until the kill is asked of whoever kills: after Ctrl+Z and fg it is put off', (t) => {
  const board = open(t, [{ name: 'media-1', jobs: [job('p', 1)] }])
  board.expect(['media-1'], ABORT_AT_MS)
  board.pass(31_000)
  board.killAt(35_000)
  assert.deepEqual([board.view().children[0]!.told, board.view().children[0]!.left_s], [true, 3])
})

test('the process that is being replaced counts as well', (t) => {
  const board = open(t, [
    { name: 'io-1.old', slot: 'io-1', jobs: [job('p', 1)] },
    { name: 'io-1', jobs: [] },
  ])
  board.expect(['io-1'], ABORT_AT_MS)
  assert.deepEqual(
    board.view().children.map((c) => c.name),
    ['io-1.old', 'io-1'],
  )
})

test('what it waited for is the last to go, and of several that which had run longest', (t) => {
  const board = open(t, [
    { name: 'io-1', jobs: [job('young', 1), job('old', 50)] },
    { name: 'media-1', jobs: [job('early', 90)] },
  ])
  board.expect(['io-1', 'media-1'], ABORT_AT_MS)
  board.pass(3_000)
  board.end('media-1')
  board.pass(11_200)
  board.end('io-1')
  board.pass(200)
  const waited = board.waited()
  assert.deepEqual([waited?.process, waited?.job?.project], ['io-1', 'old'])
  assert.ok(Math.abs(waited!.ms - 14_200) <= 100, `${waited!.ms} ms`)
})

test('a process without a job can be what it waited for; a moment is not worth a word', (t) => {
  const board = open(t, [{ name: 'redis', jobs: [] }])
  board.expect(['redis'], 1_000)
  board.pass(300)
  assert.equal(board.waited(), null)
  board.pass(2_700)
  board.end('redis')
  assert.deepEqual([board.waited()?.process, board.waited()?.job], ['redis', null])
})
