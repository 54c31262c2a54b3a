/** Real children that hang, also on their way out: what is told of them, in which order, and when they are ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { INSPECTOR_FLAGS } from '../../src/supervisor/capture.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { type NodeSpecOptions, nodeSpec } from '../fixtures/children/specs.ts'
import { setUp } from './running.ts'

const WAIT = { timeoutMs: 60_000, everyMs: 10 }
const BLOCK = { type: 'do', what: 'block' }
const PLACE = /^gave no sign of life for \d+\.\d s; it was in block \(test\/fixtures\/children\/link-child\.ts:\d+\)$/

test('suspected with the place, hung, ended for that reason, and started again', async (t) => {
  const { supervisor, facts, of } = setUp(t, [inspected('worker')], { hangKillMs: 6_000 })
  await supervisor.start()
  const { pid } = supervisor.status()[0]!
  supervisor.send('worker', BLOCK)
  await until(() => supervisor.status()[0]!.blocked?.where, WAIT)
  await until(() => of('child_ready').length === 2, WAIT)
  const [, , ...told] = facts.map(({ type }) => type).filter((type) => type !== 'child_line')
  assert.deepEqual(told, [
    'child_suspected',
    'child_hung',
    'child_exited',
    'child_restart_planned',
    'child_spawned',
    'child_ready',
  ])
  const [exited] = of('child_exited')
  assert.match(exited!.reason, PLACE)
  assert.deepEqual([exited!.pid, exited!.signal, exited!.killedFor], [pid, 'SIGKILL', exited!.reason])
  assert.deepEqual(exited!.where, of('child_hung')[0]!.where)
  assert.deepEqual(exited!.lines, ['got go: hello worker'], 'none of the inspector')
  const [status] = supervisor.status()
  assert.deepEqual([status!.blocked, status!.last_exit?.reason], [null, exited!.reason])
})

test('one that hangs while it drains is not waited for until the deadline', async (t) => {
  const { supervisor, of } = setUp(t, [inspected('worker', { mode: 'deaf' })], { hangKillMs: 6_000 })
  await supervisor.start()
  assert.ok(supervisor.replace('worker', { why: 'asked', deadlineMs: performance.now() + 120_000 }))
  await until(() => of('child_replaced').length === 1, WAIT)
  supervisor.send('worker.old', BLOCK)
  await until(() => of('child_stopped').length === 1, WAIT)
  assert.equal(of('child_hung')[0]?.name, 'worker.old')
  assert.match(of('child_exited')[0]!.reason, PLACE)
  assert.deepEqual([of('child_stopped')[0]!.forced, of('child_exited')[0]!.wanted], [true, false])
  const [status, ...others] = supervisor.status()
  assert.deepEqual([status!.name, status!.ready, status!.blocked, others.length], ['worker', true, null, 0])
})

test('one that drains for long and beats is left alone, and so is one that has said goodbye', async (t) => {
  const specs = [inspected('slow', { mode: 'deaf' }), inspected('last', { mode: 'deaf' })]
  const { supervisor, of } = setUp(t, specs, { hangKillMs: 2_000 })
  await supervisor.start()
  const stopped = supervisor.stop(['slow', 'last'], { deadlineMs: performance.now() + 5_000 })
  supervisor.send('last', { type: 'do', what: 'linger' })
  await stopped
  assert.deepEqual([...of('child_suspected'), ...of('child_hung')], [])
  assert.deepEqual(
    of('child_stopped').map(({ forced, ms }) => [forced, ms >= 4_900]),
    [
      [true, true],
      [true, true],
    ],
  )
})

function inspected(name: string, options: NodeSpecOptions = {}): ChildSpec {
  const spec = nodeSpec(name, options)
  const args = [...INSPECTOR_FLAGS, ...spec.command.args]
  return { ...spec, command: { ...spec.command, args }, inspect: { roots: [process.cwd()] } }
}
