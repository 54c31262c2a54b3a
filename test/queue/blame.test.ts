/** Who is charged for a worker's death, and how it is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blame, exitOf, isOwnEnd, type WorkerDeath } from '../../src/queue/blame.ts'
import type { StackTop } from '../../src/supervisor/facts.ts'

const [A, B, C] = ['a', 'b', 'c'].map((taskId) => ({ taskId })) as [Job, Job, Job]
type Job = { taskId: string }

const DEATH: WorkerDeath = {
  worker: 'io-1',
  pid: 1,
  code: null,
  signal: null,
  reason: 'ended',
  killedFor: null,
  where: null,
  lines: [],
  lastTask: null,
  outOfMemory: false,
}
const SILENT = 'gave no sign of life for 12.1 s'
const OVERDUE = 'held render of p, which was still running 5 s after its time limit of 900 s; it was in spin'
const HUNG = { signal: 'SIGKILL', killedFor: SILENT, reason: SILENT }

function loopIn(scope: string | null): StackTop {
  return { function: 'spin', file: 'pipelines/busy.ts', line: 14, column: 3, frames: [], scope }
}

type Case = [words: string, running: Job[], death: Partial<WorkerDeath>, charged: Job | null, suspects: Job[]]

const CASES: Case[] = [
  ['exits by itself, with one job', [A], { code: 3 }, A, []],
  ['exits by itself, with several', [A, B, C], { code: 3 }, null, [A, B, C]],
  ['exits by itself, with nothing to do', [], { code: 3 }, null, []],
  ['exits in the code of one of several', [A, B, C], { code: 3, lastTask: 'b' }, B, []],
  ['exits with 0 in the code of a job', [A, B], { code: 0, lastTask: 'a' }, A, []],
  ['exits in the code of a job that has ended', [A, B], { code: 1, lastTask: 'z' }, null, []],
  ['ends as it should', [A], { code: 0 }, null, []],
  ['exits as one that cannot start, but with a job', [A], { code: 78 }, A, []],
  ['ends for the sake of a stage that did not return', [A, B], { code: 75 }, null, []],
  ['runs out of memory, with one job', [A], { signal: 'SIGABRT' }, A, []],
  ['runs out of memory, with several', [A, B], { signal: 'SIGABRT' }, null, [A, B]],
  ['faults in native code', [A], { signal: 'SIGSEGV' }, A, []],
  ['is killed from outside', [A], { signal: 'SIGKILL' }, null, []],
  ['is told to end from outside', [A, B], { signal: 'SIGTERM' }, null, []],
  ['is killed by the kernel for want of memory', [A], { signal: 'SIGKILL', outOfMemory: true }, A, []],
  ['is so killed with several', [A, B], { signal: 'SIGKILL', outOfMemory: true }, null, [A, B]],
  ['is told to end while memory is short', [A], { signal: 'SIGTERM', outOfMemory: true }, null, []],
  ['hangs, with one job', [A], HUNG, A, []],
  ['hangs, with several and nothing known', [A, B], HUNG, null, [A, B]],
  ['hangs in the loop of one of several', [A, B, C], { ...HUNG, where: loopIn('c') }, C, []],
  ['hangs in a loop of nobody', [A, B], { ...HUNG, where: loopIn(null) }, null, [A, B]],
  ['hangs in what an ended job left behind', [A], { ...HUNG, where: loopIn('z') }, null, []],
  ['was stopped from outside', [A], { ...HUNG, killedFor: 'was stopped by a signal for 12.0 s' }, null, []],
  ['held a stage past its time limit', [A, B], { ...HUNG, killedFor: OVERDUE, where: loopIn('c') }, null, []],
  ['could not be started', [A], {}, null, []],
]

for (const [words, running, death, charged, suspects] of CASES)
  test(`a worker that ${words}: ${charged?.taskId ?? 'nobody'} is charged, ${suspects.length} are suspected`, () => {
    assert.deepEqual(blame(running, { ...DEATH, ...death }, 0), { charged, suspects })
    if (charged || suspects.length > 0) assert.ok(isOwnEnd({ ...DEATH, ...death }))
  })

test('beside a stage that was cancelled and may have run on, one that ran is suspected, and charged only by name', () => {
  assert.deepEqual(blame([A], { ...DEATH, signal: 'SIGABRT' }, 1), { charged: null, suspects: [A] })
  assert.deepEqual(blame([A], { ...DEATH, code: 3, lastTask: 'a' }, 1), { charged: A, suspects: [] })
  assert.deepEqual(blame([A], { ...DEATH, code: 3, lastTask: 'z' }, 1), { charged: null, suspects: [] })
})

const HEAP = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
const STACK = ['Unhandled rejection: Error: nobody waits for this', '    at run (pipelines/crash.ts:9:5)']

const REASONS: [death: Partial<WorkerDeath>, reason: string][] = [
  [{ code: 3, reason: 'exited with code 3' }, 'exited with code 3'],
  [{ code: 1, reason: 'exited with code 1', lines: STACK }, `exited with code 1 (${STACK[0]})`],
  [
    { signal: 'SIGABRT', reason: 'was ended by SIGABRT', lines: ['<--- Last few GCs --->', HEAP, '1: 0xb7'] },
    'was ended by SIGABRT (out of memory)',
  ],
  [
    { signal: 'SIGABRT', reason: 'was ended by SIGABRT', lines: [HEAP], where: loopIn('a') },
    'was ended by SIGABRT (out of memory in spin, pipelines/busy.ts:14)',
  ],
  [{ signal: 'SIGABRT', reason: 'was ended by SIGABRT', lines: ['an assertion'] }, 'was ended by SIGABRT'],
  [
    { signal: 'SIGKILL', reason: 'was ended by SIGKILL', outOfMemory: true },
    'was ended by SIGKILL (the machine was out of memory)',
  ],
  [{ ...HUNG, where: loopIn('a') }, `${SILENT} (in spin, pipelines/busy.ts:14)`],
  [
    { ...HUNG, reason: `${SILENT}; it was in spin (pipelines/busy.ts:14)`, where: loopIn('a') },
    `${SILENT}; it was in spin (pipelines/busy.ts:14)`,
  ],
]

for (const [death, reason] of REASONS)
  test(`an exit is told as: ${reason}`, () => {
    const { worker, reason: told } = exitOf({ ...DEATH, ...death })
    assert.deepEqual([worker, told], ['io-1', reason])
  })

test('an error that nobody caught is told in a length that can be read', () => {
  const { reason } = exitOf({ ...DEATH, code: 1, lines: [`Uncaught error: ${'x'.repeat(5_000)}`] })
  assert.ok(reason.length < 300)
})
