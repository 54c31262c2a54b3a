/** The scorecard says for each fault what came of it, and below the table what was found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Report } from '../../src/chaos/matrix.ts'
import type { SoakReport } from '../../src/chaos/soak-report.ts'
import type { Trial } from '../../src/chaos/trial.ts'
import { matrixText, soakText, trialLine } from '../../src/cli/chaos-text.ts'

const out = { paint: (_style: unknown, text: string) => text }

const PASSED: Trial = {
  id: 'kill-worker',
  what: 'SIGKILL of each worker',
  outcome: 'passed',
  reason: null,
  findings: [],
  projects: 4,
  noticed_ms: 4,
  again_ms: 1_230,
  repeated: 5,
  took_ms: 4_200,
  folder: null,
}
const SKIPPED: Trial = { ...PASSED, id: 'disk-full', outcome: 'skipped', reason: 'not allowed here', projects: 0 }
const FAILED: Trial = {
  ...{ ...PASSED, id: 'sigterm', what: 'SIGTERM', outcome: 'failed', noticed_ms: null, repeated: null },
  reason: 'could not be carried out to its end: too late',
  findings: [
    { kind: 'doubled', text: 'mail was committed 2 times' },
    { kind: 'left', text: 'process 7 after the stop' },
  ],
  folder: '/tmp/kept',
}

test('a row for each fault, the findings of those that failed, and totals', () => {
  const totals = { lost: 0, doubled: 1, torn: 0, left: 1, wrong: 0, projects: 8, repeated: 5 }
  const report: Report = { ok: false, seed: '7', took_ms: 64_000, trials: [PASSED, SKIPPED, FAILED], totals }
  const lines = matrixText(report, out).split('\n')
  assert.deepEqual(lines.slice(0, 5), [
    '   fault        noticed  runs again  repeated  lost  doubled  torn  left  done',
    '✔  kill-worker  4 ms     1.2 s       5         0     0        0     0     SIGKILL of each worker',
    '–  disk-full    -        -           -         -     -        -     -     skipped: not allowed here',
    '✖  sigterm      -        1.2 s       -         0     1        0     1     SIGTERM',
    '',
  ])
  assert.deepEqual(lines.slice(5, 13), [
    '✖ sigterm',
    '  could not be carried out to its end: too late',
    '  doubled: mail was committed 2 times',
    '  left: process 7 after the stop',
    '  kept to be looked at: /tmp/kept',
    '',
    '1 passed, 1 failed, 1 skipped in 1 min 4 s',
    '8 projects: 0 lost, 1 doubled, 0 torn, 1 left behind; 5 steps repeated',
  ])
  assert.equal(lines.at(-1), 'The same again: --seed 7')
})

test('a line for each fault as it ends, with the reason why one was skipped', () => {
  assert.equal(trialLine(PASSED, out), '✔ kill-worker            4.2 s')
  assert.equal(trialLine(SKIPPED, out), '– disk-full              4.2 s: not allowed here')
})

test('the soak says its kills and recoveries by victim, and at most twenty findings', () => {
  const findings = Array.from({ length: 22 }, (_, i) => ({ kind: 'lost' as const, text: `step ${i}` }))
  const victims = [
    { kind: 'worker' as const, kills: 20, median_ms: 412.4, longest_ms: 2_000 },
    { kind: 'redis' as const, kills: 4, median_ms: null, longest_ms: null },
  ]
  const facts = { ok: false, seed: '42', kills: 24, missed: 1, starts: 3, projects: 9, repeated: 6, took_ms: 60_000 }
  const report: SoakReport = { ...facts, victims, findings, folder: '/tmp/kept' }
  const lines = soakText(report, out).split('\n')
  assert.deepEqual(lines.slice(0, 6), [
    'victim  kills  runs again (median)  longest',
    'worker  20     412 ms               2.0 s',
    'redis   4      -                    -',
    '',
    '24 kills (1 found nobody to kill), 3 starts in 1 min 0 s',
    '✖ lost: step 0',
  ])
  assert.deepEqual(lines.slice(-5), [
    '✖ lost: step 19',
    '  and 2 more',
    '9 projects: 22 lost, 0 doubled, 0 torn, 0 left behind; 6 steps repeated',
    'Kept to be looked at: /tmp/kept',
    'The same again: --seed 42',
  ])
})
