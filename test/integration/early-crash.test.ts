/** Workers work as soon as they are ready, which may be long before everything is up: a crash then counts as any other. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { readRecords } from '../helpers/journal.ts'
import { preloadEnv } from '../helpers/preload.ts'
import { killSupervisor, startProject } from '../helpers/started-project.ts'
import { tempFolder } from '../helpers/temp.ts'
import { untilStatus } from '../helpers/wait.ts'

test('a stage ends its worker while another worker is still starting: it is charged, and goes on at once', async (t) => {
  const folder = await tempFolder(t)
  const plan = { pipeline: 'crash', held: ['boom-1'], input: { crashes: 2, how: 'exit' } }
  const { installation, layout, gates, instance, id } = await startProject(t, plan)
  await killSupervisor(installation, instance)
  gates.release('boom-1')
  writeFileSync(join(folder, 'media-1'), 'late')
  const env = { ...preloadEnv('misbehave'), TEST_MISBEHAVE_FOLDER: folder }
  const program = installation.launch({ env })
  t.after(() => rmSync(join(folder, 'media-1'), { force: true }))
  const crashes = () => readRecords(layout, id).filter((record) => record.type === 'crashed')
  await until(() => crashes().length === 1, { timeoutMs: 13_000, everyMs: 10, what: 'the crash to be written down' })
  assert.deepEqual([crashes()[0]?.charged, program.facts('ready')], [true, []])
  const { stages } = await untilStatus({ layout, id }, 'completed')
  assert.deepEqual([stages[0]?.attempts, program.facts('ready')], [3, []])
  rmSync(join(folder, 'media-1'))
  await program.ready()
})
