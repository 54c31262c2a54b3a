/** A terminal that does not read for a while, held by Ctrl+S or by a connection that hangs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { startProject } from '../helpers/started-project.ts'
import { untilStatus } from '../helpers/wait.ts'

const [CTRL_C, CTRL_S, CTRL_Q] = ['\x03', '\x13', '\x11']
/** Of so many lines a terminal gets the first few hundred, more than it keeps for its reader, and a notice. */
const LINES = 2_000
const NOTICE = /more lines are not shown here/

test('a held terminal stops nothing: stages end, the API answers, and what was said is shown when it is let go', async (t) => {
  const start = { via: 'pty' as const }
  const plan = { pipeline: 'print', held: ['print'], input: { lines: LINES, text: 'x'.repeat(60) }, start }
  const { instance, layout, gates, id } = await startProject(t, plan)
  instance.type(CTRL_S)
  gates.release('print')
  await untilStatus({ layout, id }, 'completed')
  await instance.api.livez({ signal: AbortSignal.timeout(10_000) })
  assert.doesNotMatch(instance.output(), NOTICE)
  instance.type(CTRL_Q)
  const isShown = () => NOTICE.test(instance.output())
  await until(isShown, { timeoutMs: 20_000, what: 'the lines that waited' })
  instance.type(CTRL_C)
  assert.equal((await instance.ended(20_000)).code, 0)
})
