/** Who is charged for a worker's death. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { culpritOf } from '../../src/queue/blame.ts'
import type { HeldJob } from '../../src/queue/job.ts'

const JOB: HeldJob = {
  projectId: 'p',
  owner: 'operator',
  stage: 's',
  taskId: 'p-1',
  queue: 'llm',
  token: 't',
  since: '2026-01-01T00:00:00.000Z',
  running: true,
}

const CASES: [words: string, jobs: number, code: number | null, signal: string | null, charged: boolean][] = [
  ['exits by itself, alone', 1, 1, null, true],
  ['runs out of memory, alone', 1, null, 'SIGABRT', true],
  ['faults in native code, alone', 1, null, 'SIGSEGV', true],
  ['exits by itself, with another', 2, 1, null, false],
  ['exits by itself, with nothing to do', 0, 1, null, false],
  ['is killed from outside', 1, null, 'SIGKILL', false],
  ['is told to end from outside', 1, null, 'SIGTERM', false],
  ['ends as it should', 1, 0, null, false],
]

for (const [words, jobs, code, signal, charged] of CASES)
  test(`a worker that ${words}: its stage is ${charged ? '' : 'not '}charged`, () => {
    const culprit = culpritOf(Array<HeldJob>(jobs).fill(JOB), { code, signal })
    assert.equal(culprit === JOB, charged)
  })
