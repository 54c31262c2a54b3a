/** The supervisor with real processes: starts, faults, stops, and nothing left afterwards. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppError } from '../../src/lib/errors.ts'
import { isGroupEmpty, statOf } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { nodeSpec, shellSpec } from '../fixtures/children/specs.ts'
import { setUp } from './running.ts'

const WAIT = { timeoutMs: 60_000, everyMs: 10 }

test('starts in the order of needs, hands over go, and shows its status', async (t) => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const base = shellSpec('base', 'exec sleep 600', { ready: () => gate })
  const { supervisor, facts, of } = setUp(t, [base, nodeSpec('worker', { needs: ['base'] })])
  const started = supervisor.start()
  await until(() => of('child_spawned').length === 2, WAIT)
  assert.deepEqual(
    supervisor.status().map(({ phase }) => phase),
    ['starting', 'waiting'],
  )
  release()
  await started
  assert.deepEqual(
    of('child_ready').map(({ name }) => name),
    ['base', 'worker'],
  )
  await until(() => facts.some((f) => f.type === 'child_line' && f.line === 'got go: hello worker'), WAIT)
  await until(() => supervisor.status()[1]?.beat, WAIT)
  const [, worker] = supervisor.status()
  assert.ok(worker?.pid && worker.alive && worker.ready && worker.started_at)
  assert.deepEqual(worker.beat, { lag: 0, pid: worker.pid }, 'a node child keeps its channel through setpriv')
  await until(() => supervisor.status()[1]!.rss_bytes > 20e6, WAIT)
})

test('restarts a crashed child after its end was told, with the reason and its last words', async (t) => {
  const { supervisor, facts, of } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  const firstPid = supervisor.status()[0]!.pid
  supervisor.send('worker', { type: 'do', what: 'crash' })
  await until(() => of('child_ready').length === 2, WAIT)
  const [exit] = of('child_exited')
  assert.equal(exit?.code, 1)
  assert.match(exit!.lines.join('\n'), /Uncaught error: Error: told to crash/)
  const order = facts.map(({ type }) => type).filter((type) => type !== 'child_line' && type !== 'child_ready')
  assert.deepEqual(order, ['child_spawned', 'child_exited', 'child_restart_planned', 'child_spawned'])
  const [status] = supervisor.status()
  assert.notEqual(status?.pid, firstPid)
  assert.equal(status?.restarts, 1)
  assert.equal(status?.last_exit?.reason, 'exited with code 1')
})

test('the last beat of a child tells what it did since the one before', async (t) => {
  const { supervisor } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  await until(() => supervisor.status()[0]!.beat, WAIT)
  const { pid } = supervisor.status()[0]!
  await supervisor.stop(['worker'], { deadlineMs: performance.now() + 30_000 })
  assert.deepEqual(supervisor.status()[0]!.beat, { lag: 1, pid })
})

test('an unhandled rejection ends a child too', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  supervisor.send('worker', { type: 'do', what: 'reject' })
  await until(() => of('child_exited').length === 1, WAIT)
  assert.match(of('child_exited')[0]!.lines.join('\n'), /Unhandled rejection: Error: told to reject/)
})

test('a drain lets a child finish; the fact says how long it took', async (t) => {
  const { supervisor, of, messages } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  const pid = supervisor.status()[0]!.pid!
  await supervisor.stop(['worker'], { drain: { why: 'end of test' }, deadlineMs: performance.now() + 60_000 })
  assert.deepEqual(messages, [{ name: 'worker', message: { type: 'draining', why: 'end of test' } }])
  const [stopped] = of('child_stopped')
  assert.ok(stopped && !stopped.forced && stopped.ms < 30_000)
  assert.equal(of('child_exited')[0]?.wanted, false)
  assert.ok(isGroupEmpty(pid))
  assert.equal(supervisor.status()[0]?.phase, 'stopped')
})

test('what does not drain is killed at the deadline; a hurry ends it before', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('deaf', { mode: 'deaf' }), nodeSpec('quick', { mode: 'deaf' })])
  await supervisor.start()
  const startedMs = performance.now()
  const stopped = supervisor.stop(['deaf', 'quick'], { deadlineMs: startedMs + 3_000 })
  supervisor.hurry(['quick'])
  await stopped
  assert.ok(performance.now() - startedMs >= 2_990)
  const byName = Object.fromEntries(of('child_stopped').map((fact) => [fact.name, fact.forced]))
  assert.deepEqual(byName, { deaf: true, quick: false })
  assert.equal(of('child_exited').find(({ name }) => name === 'quick')?.code, 9)
})

test('a stop ends grandchildren that ignore TERM, and members left by their leader', async (t) => {
  const stubborn = shellSpec('stubborn', 'trap "" TERM; echo set; while :; do sleep 600; done', {
    stop: { graceMs: 300, signal: 'SIGTERM' },
  })
  const leaver = shellSpec('leaver', '(trap "" TERM; echo set; sleep 600) & wait')
  const { supervisor, of } = setUp(t, [stubborn, leaver])
  await supervisor.start()
  await until(() => of('child_line').length === 2, WAIT)
  const pids = supervisor.status().map(({ pid }) => pid!)
  await supervisor.stop(['stubborn', 'leaver'], { deadlineMs: performance.now() + 30_000 })
  assert.deepEqual(pids.map(isGroupEmpty), [true, true])
  const forced = Object.fromEntries(of('child_stopped').map((fact) => [fact.name, fact.forced]))
  assert.deepEqual(forced, { stubborn: true, leaver: false })
})

test('a stopped process is woken to hear of its end', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('worker'), shellSpec('program', 'exec sleep 600')])
  await supervisor.start()
  const pids = supervisor.status().map(({ pid }) => pid!)
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  await until(() => pids.every((pid) => statOf(pid)?.state === 'T'), WAIT)
  await supervisor.stop(['worker', 'program'], { deadlineMs: performance.now() + 30_000 })
  assert.deepEqual(
    of('child_stopped').map(({ forced }) => forced),
    [false, false],
  )
})

test('a blocked child is found by its missing beats, a stopped one by its state', async (t) => {
  const frozen = shellSpec('frozen', 'exec sleep 600')
  const { supervisor, of } = setUp(t, [nodeSpec('blocked'), frozen, nodeSpec('healthy')], { hangKillMs: 3_000 })
  await supervisor.start()
  supervisor.send('blocked', { type: 'do', what: 'block' })
  process.kill(supervisor.status()[1]!.pid!, 'SIGSTOP')
  await until(() => of('child_exited').length === 2, WAIT)
  const reasons = Object.fromEntries(of('child_exited').map(({ name, reason }) => [name, reason]))
  assert.match(reasons.blocked!, /^gave no sign of life for \d/)
  assert.match(reasons.frozen!, /^was stopped by a signal for \d/)
  await until(() => of('child_ready').length === 5, WAIT)
  assert.equal(supervisor.status()[2]?.restarts, 0, 'the healthy one was left alone')
})

test('a boot fails with the child, the reason and its last output', async (t) => {
  const cases: [ChildSpec, RegExp][] = [
    [
      nodeSpec('late', { mode: 'never-ready', bootDeadlineMs: 3_000 }),
      /^late was not ready within 3 s.*got go: hello late/s,
    ],
    [nodeSpec('broken', { mode: 'crash-early' }), /^broken exited with code 3.*cannot find what I need/s],
    [nodeSpec('set-wrong', { mode: 'config-error' }), /^set-wrong exited with code 78/],
    [
      shellSpec('absent', '', { command: { file: '/no/such/program', args: [], env: {} }, ready: never }),
      /^absent .*not installed/,
    ],
  ]
  for (const [spec, message] of cases) {
    const { supervisor } = setUp(t, [spec], { maxCrashes: 2 })
    await assert.rejects(
      supervisor.start(),
      (error: AppError) => error.code === 'program_failed' && message.test(error.message),
    )
    supervisor.kill()
  }
})

test('a boot fails with the third crash of a child that is never given up, because it crashes too seldom', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('slow', { mode: 'crash-early' })], { crashWindowMs: 1 })
  await assert.rejects(supervisor.start(), /^AppError: slow exited with code 3 for the third time.*what I need$/s)
  assert.deepEqual([of('child_exited').length, of('child_parked').length], [3, 0])
})

test('a stop during the boot ends it', async (t) => {
  const { supervisor } = setUp(t, [nodeSpec('worker', { mode: 'never-ready' })])
  const refused = assert.rejects(supervisor.start(), { code: 'interrupted' })
  await supervisor.stop(['worker'], { deadlineMs: performance.now() + 30_000 })
  await refused
})

test('a repair runs before the restart', async (t) => {
  let broken = true
  const spec = shellSpec('fragile', 'echo corrupt >&2; exit 1', {
    ready: never,
    repair: async (exit) => {
      if (!broken || !exit.lines.includes('corrupt')) return null
      broken = false
      spec.command.args = ['-c', 'exec sleep 600']
      spec.ready = async () => {}
      return 'mended'
    },
  })
  const { supervisor, of } = setUp(t, [spec])
  await supervisor.start()
  assert.deepEqual(of('child_repaired'), [{ type: 'child_repaired', name: 'fragile', what: 'mended' }])
})

test('a flood of output without lines costs no memory and no lines', async (t) => {
  const { supervisor, facts } = setUp(t, [nodeSpec('worker')], { hangKillMs: 0 })
  await supervisor.start()
  global.gc?.()
  const before = process.memoryUsage.rss()
  supervisor.send('worker', { type: 'do', what: 'flood', value: 100 })
  const lines = () =>
    facts.flatMap((fact) => (fact.type === 'child_line' && fact.stream === 'stdout' ? [fact.line] : []))
  await until(() => lines().includes('end of flood'), { timeoutMs: 60_000, everyMs: 20 })
  const long = lines().find((line) => line.startsWith('xxx'))!
  assert.ok(long.length < 65_600 && long.endsWith('[cut]'))
  assert.ok(process.memoryUsage.rss() - before < 60e6, `grew by ${process.memoryUsage.rss() - before}`)
})

test('every message of a child that says goodbye arrives', async (t) => {
  const { supervisor, of, messages } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  supervisor.send('worker', { type: 'do', what: 'farewell', value: 2_000 })
  await until(() => of('child_exited').length === 1, WAIT)
  assert.equal(messages.length, 2_000)
})

test('kill ends every group before it returns', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('one'), shellSpec('two', 'trap "" TERM; while :; do sleep 1; done')])
  await supervisor.start()
  const pids = supervisor.status().map(({ pid }) => pid!)
  supervisor.kill()
  await until(() => pids.every(isGroupEmpty), WAIT)
  await until(() => of('child_stopped').length === 2, WAIT)
  assert.ok(!supervisor.send('one', { type: 'do', what: 'crash' }))
})

test('restart drains a child and brings it back', async (t) => {
  const { supervisor, of } = setUp(t, [nodeSpec('worker')])
  await supervisor.start()
  const { pid } = supervisor.status()[0]!
  supervisor.restart('worker', { drain: { why: 'restart' }, deadlineMs: performance.now() + 30_000 })
  await until(() => of('child_ready').length === 2, WAIT)
  assert.notEqual(supervisor.status()[0]?.pid, pid)
  assert.equal(of('child_stopped')[0]?.forced, false)
})

const never = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
