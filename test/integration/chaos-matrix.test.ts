/** The whole fault matrix by the command `chaos`, once: every fault that can be done here is survived. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { FAULTS } from '../../src/chaos/faults.ts'
import type { Report } from '../../src/chaos/matrix.ts'
import { chaos } from '../helpers/chaos.ts'

const SEED = '11'
/** Below the limit of a test file. */
const LIMIT_MS = 570_000
/** It needs the right to mount, which not everybody has; all else is done everywhere. */
const MAY_BE_SKIPPED: ReadonlySet<string> = new Set(['disk-full'])

test('every fault of the matrix is survived: nothing lost, doubled, torn or left', async (t) => {
  const run = await chaos(t, ['--seed', SEED, '--json'])
  const { code, stdout, stderr } = await run.ended(LIMIT_MS)
  const report = JSON.parse(stdout) as Report
  t.diagnostic(`${report.trials.length} faults in ${Math.round(report.took_ms / 1_000)} s`)
  const failed = report.trials.filter(({ outcome }) => outcome === 'failed')
  assert.deepEqual(failed, [], stderr)
  assert.deepEqual(
    report.trials.map(({ id }) => id),
    FAULTS.map(({ id }) => id),
  )
  const skipped = report.trials.flatMap(({ id, outcome }) => (outcome === 'skipped' ? [id] : []))
  assert.deepEqual(
    skipped.filter((id) => !MAY_BE_SKIPPED.has(id)),
    [],
  )
  assert.deepEqual([code, report.ok], [0, true])
  assert.deepEqual(report.totals, { ...report.totals, lost: 0, doubled: 0, torn: 0, left: 0, wrong: 0 })
  assert.ok(report.totals.repeated > 0, 'it was hit in the middle of steps')
  assert.deepEqual(await readdir(run.temp), [], 'the temporary folders are gone')
})
