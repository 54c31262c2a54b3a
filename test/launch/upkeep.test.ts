/** What is kept up with while processes come and go, over a real supervisor with real processes. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createTotals } from '../../src/launch/totals.ts'
import { startUpkeep, type Upkeep } from '../../src/launch/upkeep.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import type { SupervisorFact } from '../../src/supervisor/facts.ts'
import { createSupervisor } from '../../src/supervisor/supervisor.ts'
import { nodeSpec } from '../fixtures/children/specs.ts'

const WAIT = { timeoutMs: 20_000, everyMs: 10 }
const NAMES = ['io-1', 'io-2']

/** A group of two; what its processes are told, and what happened to them, in one order. */
async function setUp(t: TestContext) {
  const seen: string[] = []
  const totals = createTotals()
  let upkeep: Upkeep | undefined
  const supervisor = createSupervisor({
    specs: NAMES.map((name) => nodeSpec(name, { group: 'io' })),
    onFact(fact: SupervisorFact) {
      if (fact.type !== 'child_line') seen.push(`${fact.name} ${fact.type.replace('child_', '')}`)
      upkeep?.note(fact)
    },
  })
  const send: typeof supervisor.send = (name, message) => {
    seen.push(`${name} of ${(message as { processes: number }).processes}`)
    return supervisor.send(name, message)
  }
  const hour = 3_600_000
  upkeep = startUpkeep({
    supervisor: { ...supervisor, send },
    groups: [{ name: 'io', queues: ['llm'], processes: NAMES.length }],
    totals,
    limits: { maxJobs: 0, maxRssBytes: 0 },
    handOver: () => ({ drain: { why: 'test' }, deadlineMs: performance.now() + hour }),
    phase: () => 'running',
    log: silentLog,
  })
  t.after(async () => {
    upkeep.stop()
    supervisor.kill()
    await supervisor.stop(NAMES, { deadlineMs: performance.now() })
  })
  await supervisor.start()
  seen.length = 0
  return { supervisor, totals, seen, of: (name: string) => supervisor.status().find((one) => one.name === name)! }
}

test('whoever is left after a crash takes over the share at once, and gives it back', async (t) => {
  const { seen, of } = await setUp(t)
  process.kill(of('io-1').pid!, 'SIGKILL')
  await until(() => seen.includes('io-2 of 2'), WAIT)
  const shares = seen.filter((one) => /exited|of|planned|ready$/.test(one))
  assert.deepEqual(shares, ['io-1 exited', 'io-2 of 1', 'io-1 restart_planned', 'io-1 ready', 'io-2 of 2'])
})

test('while a process is replaced the shares stay as they are', async (t) => {
  const { supervisor, seen } = await setUp(t)
  supervisor.replace('io-1', { why: 'test', drain: { why: 'test' }, deadlineMs: performance.now() + 10_000 })
  await until(() => seen.includes('io-1.old stopped'), WAIT)
  assert.deepEqual(
    seen.filter((one) => / of \d/.test(one)),
    [],
  )
})

test('the CPU time that was measured of a process is counted when it ends', async (t) => {
  const { supervisor, totals, seen, of } = await setUp(t)
  await until(() => of('io-1').cpu_s > 0, WAIT)
  const { pid, cpu_s } = of('io-1')
  process.kill(pid!, 'SIGKILL')
  await until(() => seen.includes('io-1 exited'), WAIT)
  const counted = totals.cpuSeconds().get('io-1') ?? 0
  assert.ok(counted >= cpu_s, `${counted} s of ${cpu_s} s`)
  await until(() => supervisor.ready('io-1') && of('io-1').cpu_s > 0, WAIT)
  totals.note(supervisor.status())
  assert.ok(totals.cpuSeconds().get('io-1')! > counted, 'and that of the next process on top')
})
