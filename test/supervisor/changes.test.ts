/** Children that are replaced, added and removed while the others run, with real processes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isGroupEmpty } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { DEFAULT_POLICY } from '../../src/supervisor/policy.ts'
import { nodeSpec } from '../fixtures/children/specs.ts'
import { setUp } from './running.ts'

const WAIT = { timeoutMs: 30_000, everyMs: 10 }

test('replace: the successor serves before the process that it replaces is drained, under the same name', async (t) => {
  const { supervisor, of, messages } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  const { pid } = supervisor.status()[0]!
  const how = { why: 'asked', drain: { why: 'replace' }, deadlineMs: performance.now() + 60_000 }
  assert.ok(supervisor.replace('worker', how))
  assert.ok(!supervisor.replace('worker', how), 'one at a time')
  assert.deepEqual(
    supervisor.status().map((child) => [child.name, child.slot, child.role, child.pid === pid]),
    [
      ['worker', 'worker', 'current', true],
      ['worker.next', 'worker', 'next', false],
    ],
  )
  await until(() => of('child_stopped').length === 1, WAIT)
  const order = ['child_replacing', 'child_replaced', 'child_stopping', 'child_stopped'] as const
  assert.deepEqual(
    order.map((type) => of(type)[0]?.name),
    ['worker', 'worker', 'worker.old', 'worker.old'],
  )
  assert.deepEqual(messages.at(-1), { name: 'worker.old', message: { type: 'draining', why: 'replace' } })
  const [left, ...others] = supervisor.status()
  assert.deepEqual([left?.name, left?.ready, left?.restarts, others.length], ['worker', true, 1, 0])
  assert.notEqual(left?.pid, pid)
})

test('add and remove: a further child comes up, and is drained and forgotten', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('one')])
  await supervisor.start()
  supervisor.add(nodeSpec('two'))
  await until(() => supervisor.ready('two'), WAIT)
  const { pid } = supervisor.status()[1]!
  await supervisor.remove('two', { drain: { why: 'remove' }, deadlineMs: performance.now() + 60_000 })
  assert.ok(isGroupEmpty(pid!))
  assert.deepEqual(of('child_stopped')[0], { ...of('child_stopped')[0], name: 'two', forced: false })
  assert.deepEqual(
    supervisor.status().map(({ name }) => name),
    ['one'],
  )
})

test('a child that was killed from outside is back at once', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('one')], {})
  await supervisor.start()
  process.kill(supervisor.status()[0]!.pid!, 'SIGKILL')
  await until(() => of('child_ready').length === 2, WAIT)
  const { afterMs, free } = of('child_restart_planned')[0]!
  assert.deepEqual([afterMs, free], [DEFAULT_POLICY.handBackMs, true])
})
