/** When a run that was killed was last alive: known by its last line, by a time that it renews, and else not at all. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createExplainer } from '../../src/launch/explainer.ts'
import type { LaunchFact } from '../../src/launch/facts.ts'
import { openRecords } from '../../src/launch/records.ts'
import { lastSignMs } from '../../src/launch/sign-of-life.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { until } from '../../src/lib/until.ts'
import { tempFolder } from '../helpers/temp.ts'
import { START, spawned } from './story-facts.ts'

/** A run whose clock is the test's. Its end is that of the records: no fact says that it was stopped. */
async function begin(t: TestContext, folder: string) {
  const facts: LaunchFact[] = []
  const onFact = (fact: LaunchFact) => void facts.push(fact)
  const records = await openRecords({ folder, runId: 'r', version: '1.0.0', redactor: createRedactor([]), onFact })
  t.after(() => records.close())
  return { records, before: facts[0]?.type === 'booted' ? facts[0].before : undefined }
}

function withClock(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: START })
  return (ms: number) => t.mock.timers.tick(ms)
}

const line: LaunchFact = { type: 'child_line', name: 'io-1', pid: 7, stream: 'stdout', line: 'at work' }
const HEARD = new Date(START + 9_000).toISOString()

test('a run that worked on after its last change was heard of when it said its last line', async (t) => {
  const pass = withClock(t)
  const folder = await tempFolder(t)
  const { records } = await begin(t, folder)
  records.tell(spawned('io-1'))
  pass(9_000)
  records.tell(line)
  await records.close()
  const { summary } = await createExplainer({ folder, children: null })({ process: 'io-1' })
  assert.match(
    summary,
    /^The program ended without a stop \(killed, or the power failed\), last heard of at 14:02:09\./,
  )
  const next = await begin(t, folder)
  assert.deepEqual(next.before, { how: 'lost', at: HEARD, reason: null, heard: true })
  const now = await createExplainer({ folder, children: () => [] })({ process: 'supervisor' })
  assert.match(now.chain[0]!.text, new RegExp(`last heard of at ${HEARD}$`), 'the next run has kept it')
  rmSync(folder, { recursive: true })
})

test('a run that has nothing to say renews its time, in place', async (t) => {
  const pass = withClock(t)
  const folder = await tempFolder(t)
  const { records } = await begin(t, folder)
  for (const seconds of [10, 20]) {
    pass(10_000)
    const isKept = async () => (await lastSignMs(folder)) === START + seconds * 1_000
    await until(isKept, { timeoutMs: 20_000, what: `the sign after ${seconds} s` })
  }
  await records.close()
  pass(60_000)
  assert.equal(await lastSignMs(folder), START + 20_000, 'after its end it gives none')
})

test('a torn time is as good as none, and without a sign it is the last change that is named', async (t) => {
  withClock(t)
  const folder = await tempFolder(t)
  const { records } = await begin(t, folder)
  await records.close()
  writeFileSync(join(folder, 'alive'), '2026-11-')
  assert.equal(await lastSignMs(folder), START, 'the line that tells of its start')
  rmSync(join(folder, 'supervisor.log'))
  assert.equal(await lastSignMs(folder), null)
  const told = await createExplainer({ folder, children: null })({ process: 'supervisor' })
  assert.match(
    told.summary,
    /^The program ended without a stop \(killed, or the power failed\), last change at 14:02:00\./,
  )
  const next = await begin(t, folder)
  assert.deepEqual(next.before, { how: 'lost', at: new Date(START).toISOString(), reason: null, heard: false })
})
