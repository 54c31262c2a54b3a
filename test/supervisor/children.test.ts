/** Badly behaved children, as real processes: each is dealt with, and a good one beside it notices nothing. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type TestContext, test } from 'node:test'
import { isGroupEmpty } from '../../src/lib/process-tree.ts'
import { sleep, until } from '../../src/lib/until.ts'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import { DEFAULT_POLICY, type Policy } from '../../src/supervisor/policy.ts'
import type { ChildSpec } from '../../src/supervisor/spec.ts'
import { createSupervisor } from '../../src/supervisor/supervisor.ts'
import { type BadMode, badSpec, nodeSpec } from '../fixtures/children/specs.ts'
import { killQuietly } from '../helpers/children.ts'
import { isGone } from '../helpers/processes.ts'
import { tempFolder } from '../helpers/temp.ts'
import { assertNothingLeft } from './running.ts'

const WAIT = { timeoutMs: 60_000, everyMs: 10 }
/** Seconds become hundredths, so that a test need not wait for minutes. */
const QUICK: Partial<Policy> = {
  backoff: { firstMs: 10, factor: 2, maxMs: 100 },
  crashWindowMs: 60_000,
  halfOpenMs: 500,
  stableMs: 1_000,
}

test('ignores TERM: a stop waits for it to the deadline, then its group is killed', async (t) => {
  const { supervisor, of } = await setUp(t, 'ignores-term')
  await supervisor.start()
  const { pid } = statusOf(supervisor, 'bad')
  const startedMs = performance.now()
  await supervisor.stop(['bad'], { deadlineMs: startedMs + 700 })
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs >= 690 && tookMs < 10_000, `it took ${tookMs} ms`)
  assert.deepEqual(
    of('child_stopped').map(({ name, forced }) => [name, forced]),
    [['bad', true]],
  )
  assert.ok(isGroupEmpty(pid!))
})

test('never becomes ready: it is killed at its deadline each time, parked, and comes back when it can', async (t) => {
  const { supervisor, of, heal } = await setUp(t, 'never-ready', {
    bootDeadlineMs: 4_000,
    policy: { ...QUICK, maxCrashes: 2 },
  })
  void supervisor.start().catch(() => {}) // the boot fails for its sake
  await until(() => statusOf(supervisor, 'bad').phase === 'parked', WAIT)
  assert.equal(of('child_boot_missed').length, 2)
  assert.deepEqual(
    of('child_exited').map(({ name, signal, reason }) => [name, signal, reason]),
    Array(2).fill(['bad', 'SIGKILL', 'was not ready within 4 s']),
  )
  assert.equal(statusOf(supervisor, 'bad').pid, null, 'no process of it is left behind while it is parked')
  heal()
  supervisor.restart('bad', { deadlineMs: performance.now() + 10_000 })
  await untilReady(supervisor, 'bad')
})

test('exits at once: five tries with growing delays, then one per half-open period; healed, it is as good as new', async (t) => {
  const { supervisor, of, heal } = await setUp(t, 'exits-at-once', { policy: { ...QUICK, random: () => 0.5 } })
  void supervisor.start().catch(() => {}) // the boot fails for its sake
  await until(() => of('child_parked').length === 1, WAIT)
  assert.equal(of('child_exited').length, 5)
  assert.deepEqual(of('child_parked')[0], {
    type: 'child_parked',
    name: 'bad',
    reason: 'exited with code 4',
    retryMs: 500,
  })
  const delays = of('child_restart_planned').map(({ afterMs }) => afterMs)
  assert.deepEqual(
    delays,
    delays.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(delays).size, 4, `each delay is longer than the one before: ${delays}`)
  assert.match(statusOf(supervisor, 'bad').last_lines.join('\n'), /something that I need is missing/)
  await until(() => of('child_parked').length === 2, WAIT)
  assert.equal(of('child_exited').length, 6, 'a half-open try that fails parks again at once')
  heal()
  await untilReady(supervisor, 'bad')
  assert.equal(of('child_exited').length - of('child_parked').length, 4)
})

test('crashes again and again soon after it was ready: parked after five, and forgiven once it has been stable', async (t) => {
  const { supervisor, of, heal } = await setUp(t, 'crashes-often', { value: 60, policy: QUICK })
  void supervisor.start()
  await until(() => of('child_parked').length === 1, WAIT)
  const ends = of('child_exited')
  assert.equal(ends.length, 5)
  assert.ok(ends.every(({ name, code, wanted }) => name === 'bad' && code === 5 && wanted))
  heal()
  await untilReady(supervisor, 'bad')
  const { restarts } = statusOf(supervisor, 'bad')
  await sleep(2 * QUICK.stableMs!)
  process.kill(statusOf(supervisor, 'bad').pid!, 'SIGABRT')
  await until(() => statusOf(supervisor, 'bad').restarts === restarts + 1, WAIT)
  await untilReady(supervisor, 'bad')
  assert.equal(of('child_parked').length, 1, 'the sixth crash was the first of a new window')
})

test('crashes every two seconds: back at once the first time, later each time, and parked within the policy', async (t) => {
  const { supervisor, of, heal } = await setUp(t, 'crashes-often', { value: 2_000 })
  await supervisor.start()
  await until(() => of('child_parked').length === 1, WAIT)
  assert.deepEqual([of('child_exited').length, statusOf(supervisor, 'bad').restarts], [5, 4])
  const [first, ...others] = of('child_restart_planned').map(({ afterMs }) => afterMs)
  assert.equal(first, DEFAULT_POLICY.handBackMs, 'it had been up')
  const { firstMs } = DEFAULT_POLICY.backoff
  assert.ok(others.length === 3 && others.every((ms, n) => ms >= firstMs * 2 ** n), `delays: ${others}`)
  heal()
  supervisor.restart('bad', { deadlineMs: performance.now() + 10_000 })
  await untilReady(supervisor, 'bad')
})

test('exits with 78: it is not started again until a person says so', async (t) => {
  const { supervisor, of, heal } = await setUp(t, 'exits-with-78', { policy: QUICK })
  void supervisor.start().catch(() => {}) // the boot fails for its sake
  await until(() => of('child_parked').length === 1, WAIT)
  assert.equal(of('child_parked')[0]?.retryMs, null)
  await sleep(2 * QUICK.halfOpenMs! + 300) // long enough for two half-open tries, if there were any
  assert.deepEqual([of('child_exited').length, statusOf(supervisor, 'bad').phase], [1, 'parked'])
  heal()
  supervisor.restart('bad', { deadlineMs: performance.now() + 10_000 })
  await untilReady(supervisor, 'bad')
})

test('leaves a grandchild in a session of its own: it ends with the child', async (t) => {
  const { supervisor, of } = await setUp(t, 'leaves-a-grandchild', { policy: { ...QUICK, maxCrashes: 1 } })
  void supervisor.start().catch(() => {}) // the boot may fail for its sake
  const said = () => of('child_line').flatMap(({ line }) => /^grandchild (\d+)/.exec(line)?.[1] ?? [])
  await until(() => said().length > 0, WAIT)
  const grandchild = Number(said()[0])
  t.after(() => killQuietly(grandchild))
  await until(() => isGone(grandchild), WAIT)
  await until(() => of('child_exited').length > 0, WAIT)
})

test('leaves a stranger that does not carry its marks and holds its pipes: its end is noticed all the same', async (t) => {
  const { supervisor, of } = await setUp(t, 'leaves-a-stranger', { policy: { ...QUICK, maxCrashes: 1 } })
  void supervisor.start().catch(() => {}) // the boot may fail for its sake
  const said = () => of('child_line').flatMap(({ line }) => /^grandchild (\d+)/.exec(line)?.[1] ?? [])
  await until(() => said().length > 0, WAIT)
  const grandchild = Number(said()[0])
  t.after(() => killQuietly(grandchild))
  const saidMs = performance.now()
  await until(() => of('child_exited').length > 0, WAIT)
  const tookMs = performance.now() - saidMs
  assert.ok(tookMs < 20_000, `it took ${tookMs} ms`) // a second is waited for the pipes; the rest is a busy machine's
  assert.equal(of('child_exited')[0]?.code, 6)
  assert.ok(!isGone(grandchild), 'it does hold them still: a stranger in a session of its own')
  assert.deepEqual(statusOf(supervisor, 'bad').pid, null)
  killQuietly(grandchild)
})

test('floods standard output with 100 MB of lines: bounded memory, a loop that goes on, and the last lines are right', async (t) => {
  const { supervisor } = await setUp(t, 'floods', { value: 100, policy: { hangKillMs: 3_000 } })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const startedBytes = process.memoryUsage.rss()
  let peakBytes = 0
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
  }, 50)
  t.after(() => clearInterval(sampler))
  void supervisor.start()
  await until(() => statusOf(supervisor, 'bad').last_lines.includes('end of flood'), { ...WAIT, timeoutMs: 90_000 })
  delay.disable()
  const grownMb = Math.round((peakBytes - startedBytes) / 1e6)
  const delayMs = Math.round(delay.percentile(99) / 1e6)
  t.diagnostic(`grew by ${grownMb} MB, loop delay p99 ${delayMs} ms, longest ${Math.round(delay.max / 1e6)} ms`)
  assert.ok(grownMb < 64, `grew by ${grownMb} MB`)
  assert.ok(delayMs < 300, `the loop was late by ${delayMs} ms`)
  const last = statusOf(supervisor, 'bad').last_lines.slice(-3)
  assert.deepEqual(last, [String(1_048_599).padEnd(99, '.'), String(1_048_600).padEnd(99, '.'), 'end of flood'])
  assert.deepEqual([statusOf(supervisor, 'bad').restarts, statusOf(supervisor, 'good').restarts], [0, 0])
})

type Options = Partial<ChildSpec> & { value?: number; policy?: Partial<Policy> }

/** Beside every bad child runs a good one, which must have its first process and be ready in the end. */
async function setUp(t: TestContext, mode: BadMode, { policy = {}, ...options }: Options = {}) {
  const facts: SupervisorFact[] = []
  const health = join(await tempFolder(t), 'healed')
  const ids = { runId: 'test-run', dataId: randomUUID() }
  const specs = [badSpec('bad', { mode, path: health, ids, ...options }), nodeSpec('good', { ids })]
  const onFact = (fact: SupervisorFact) => {
    if (fact.type !== 'child_line' || facts.length < 10_000) facts.push(fact)
  }
  const supervisor = createSupervisor({ specs, policy, onFact })
  t.after(async () => {
    supervisor.kill()
    await supervisor.stop(['bad', 'good'], { deadlineMs: performance.now() })
    await assertNothingLeft(ids.dataId)
    const ofGood = facts.filter((fact) => fact.name === 'good')
    assert.deepEqual(
      ofGood.filter(({ type }) => type === 'child_spawned' || type === 'child_hung').length,
      1,
      'the good one kept its process',
    )
  })
  const of = <T extends SupervisorFact['type']>(type: T) =>
    facts.filter((fact): fact is Extract<SupervisorFact, { type: T }> => fact.type === type)
  return { supervisor, of, heal: () => writeFileSync(health, '') }
}

type Running = Awaited<ReturnType<typeof setUp>>['supervisor']

function statusOf(supervisor: Running, name: string) {
  return supervisor.status().find((child) => child.name === name)!
}

function untilReady(supervisor: Running, name: string): Promise<true> {
  return until(() => statusOf(supervisor, name).ready, { ...WAIT, what: `${name} to be ready` })
}
