/** CPU and memory of real processes, against what the kernel itself says. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createUsageMeter } from '../../src/supervisor/usage.ts'

test('a busy process shows its CPU and its memory, an idle one next to nothing', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const busy = start(t, 'for (;;) Math.random()')
  const idle = start(t, 'setInterval(() => {}, 1e6)')
  const meter = createUsageMeter(() => [busy, idle], 100)
  t.after(() => meter.stop())
  await until(() => meter.of(busy).cpu_percent > 20, { timeoutMs: 20_000 })
  await until(() => meter.of(idle).rss_bytes > 0 && meter.of(idle).cpu_percent < 10, { timeoutMs: 20_000 })
  const kernel = Number(readFileSync(`/proc/${idle}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)![1]) * 1024
  const ratio = meter.of(idle).rss_bytes / kernel
  assert.ok(ratio > 0.8 && ratio < 1.25, `${meter.of(idle).rss_bytes} against ${kernel}`)
  const before = meter.of(busy).cpu_s
  const startedMs = performance.now()
  await until(() => meter.of(busy).cpu_s > before + 0.2, { timeoutMs: 20_000, what: 'seconds of CPU to be counted' })
  const passedS = (performance.now() - startedMs) / 1_000
  assert.ok(meter.of(busy).cpu_s - before <= passedS + 0.2, 'one thread uses no more than the time that passes')
})

test('a process that is gone counts nothing', () => {
  const meter = createUsageMeter(() => [2 ** 22 + 1])
  assert.deepEqual(meter.of(2 ** 22 + 1), { rss_bytes: 0, cpu_percent: 0, cpu_s: 0 })
  meter.stop()
})

function start(t: TestContext, code: string): number {
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  t.after(() => void child.kill('SIGKILL'))
  return child.pid!
}
