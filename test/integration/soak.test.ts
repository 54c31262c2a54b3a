/** A short seed of the random soak; the long one is `npm run soak`. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { SoakReport } from '../../src/chaos/soak-report.ts'
import { ROOT } from '../helpers/program.ts'
import { tempFolder } from '../helpers/temp.ts'

/** With this one every kind of process is hit. */
const SEED = '1'
const ARGS = ['--random', '25', '--minutes', '0.4', '--projects', '30', '--seed', SEED, '--json']

test('25 random kills while 30 projects run: nothing is lost, doubled, torn or left behind', async (t) => {
  const { PATH = '', HOME = '' } = process.env
  const env = { PATH, HOME, TMPDIR: await tempFolder(t, 'showrunner-soak-') }
  const argv = ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'chaos', ...ARGS]
  const run = promisify(execFile)(process.execPath, argv, { cwd: ROOT, env, timeout: 300_000 })
  const { stdout } = await run.catch((error: { stdout: string }) => error) // its findings are shown below
  const report = JSON.parse(stdout) as SoakReport
  assert.deepEqual(report.findings, [])
  // A victim may end in the moment in which it is found; few may be missed so, which is part of `ok`.
  assert.deepEqual([report.ok, report.kills + report.missed, report.projects], [true, 25, 30])
  for (const { kind, kills } of report.victims) assert.ok(kills > 0, `no ${kind} was killed`)
  assert.ok(report.starts >= 2, 'it was started again')
  t.diagnostic(report.victims.map((v) => `${v.kind}: ${v.kills} kills, again after ${v.median_ms} ms`).join('; '))
})
