/** What a process has printed is shown with the end that it belongs to. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createExplainer } from '../../src/launch/explainer.ts'
import { openRecords } from '../../src/launch/records.ts'
import { createRedactor } from '../../src/lib/redact.ts'
import { tempFolder } from '../helpers/temp.ts'
import { childStatus } from './child-status.ts'
import { exited, planned, ready, START, spawned, up } from './story-facts.ts'

const said = (pid: number, line: string) => ({ type: 'child_line', name: 'io-1', pid, stream: 'stdout', line }) as const

/** Process 7 ends at 14:02:10; process 8 is there at once, and speaks in the same second. */
async function replaced(t: TestContext) {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: START })
  const folder = await tempFolder(t)
  const options = { folder, runId: 'r1', version: '1.0.0', redactor: createRedactor([]), onFact() {} }
  const records = await openRecords(options)
  up('io-1').forEach(records.tell)
  for (let n = 1; n <= 25; n++) records.tell(said(7, `step ${n}`))
  t.mock.timers.tick(10_000)
  records.tell(exited('io-1', { pid: 7, signal: 'SIGKILL', reason: 'was ended by SIGKILL' }))
  for (const fact of [planned('io-1'), spawned('io-1', 8), ready('io-1'), said(8, 'hello')]) records.tell(fact)
  t.mock.timers.tick(3_600_000)
  records.tell(said(8, 'still here'))
  await records.close()
  return folder
}

test('the last output shown for a moment is that of the process that ended then, with a server and without', async (t) => {
  const folder = await replaced(t)
  const present = childStatus({ name: 'io-1', pid: 8, last_lines: ['hello', 'still here'] })
  const online = createExplainer({ folder, children: () => [present] })
  const offline = createExplainer({ folder, children: null })
  for (const ask of [online, offline]) {
    const then = await ask({ process: 'io-1', atMs: START + 10_000, spanMs: 1_000 })
    assert.equal(then.last_lines.length, 20)
    assert.deepEqual([then.last_lines[0], then.last_lines.at(-1)], ['step 6', 'step 25'])
    assert.equal(then.last_exit?.signal, 'SIGKILL')
    const start = await ask({ process: 'io-1', atMs: START, spanMs: 1_000 })
    assert.match(start.summary, /io-1 was started/)
    assert.deepEqual([start.last_lines, start.last_exit], [[], null], 'nothing had ended')
    const never = await ask({ process: 'io-1', atMs: START + 1_800_000 })
    assert.match(never.summary, /^Nothing happened/)
    assert.deepEqual([never.last_lines, never.last_exit], [[], null])
  }
  assert.deepEqual((await online({ process: 'io-1' })).last_lines, ['hello', 'still here'])
})
