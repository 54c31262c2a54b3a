/** A soak that could not do what it was asked to has failed, also when nothing was lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hit, reportSoak } from '../../src/chaos/soak-report.ts'

const verdict = { projects: 1, findings: [], histories: [], repeated: 0 }

function report(planned: number, hit: number) {
  const hits = Array.from({ length: hit }, (): Hit => ({ kind: 'worker', atMs: 1, pids: [1], noticedMs: null }))
  return reportSoak({ seed: '1', planned, hits, starts: 1, findings: [], verdict, facts: [] })
}

test('a kill in twenty may find nobody', () => {
  assert.deepEqual([report(100, 95).ok, report(100, 95).missed], [true, 5])
})

test('above that it has failed, and says why', () => {
  const { ok, findings } = report(100, 94)
  assert.deepEqual([ok, findings], [false, [{ kind: 'wrong', text: '6 of 100 kills found nobody to kill' }]])
  assert.equal(report(25, 23).ok, false)
})
