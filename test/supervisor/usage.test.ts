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
  await until(() => meter.of(busy).cpu_percent > 5, { timeoutMs: 60_000 }) // others may use the CPU as well
  const isIdle = () => meter.of(idle).cpu_percent < 5 && isNear(meter.of(idle).rss_bytes, residentBytesOf(idle))
  await until(isIdle, { timeoutMs: 60_000, what: 'what has started to be idle, with the memory that the kernel knows' })
  const usedS = cpuSecondsOf(busy)
  await until(() => meter.of(busy).cpu_s >= usedS + 0.2, { timeoutMs: 60_000, what: 'seconds of CPU to be counted' })
  const countedS = meter.of(busy).cpu_s
  assert.ok(countedS <= cpuSecondsOf(busy), 'no more than the kernel has counted')
})

test('a process that is gone counts nothing', () => {
  const meter = createUsageMeter(() => [2 ** 22 + 1])
  assert.deepEqual(meter.of(2 ** 22 + 1), { rss_bytes: 0, cpu_percent: 0, cpu_s: 0 })
  meter.stop()
})

function isNear(measured: number, kernel: number): boolean {
  return measured > 0.8 * kernel && measured < 1.25 * kernel
}

function residentBytesOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)?.[1] ?? 0) * 1024
}

/** In user and system mode, in hundredths: USER_HZ of every kernel that Node runs on. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function start(t: TestContext, code: string): number {
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' })
  t.after(() => void child.kill('SIGKILL'))
  return child.pid!
}
