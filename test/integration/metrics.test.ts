/** /metrics of the real program: strict format, true numbers, and counters that never fall whatever dies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../src/lib/until.ts'
import { createGates } from '../helpers/gates.ts'
import { createInstallation, type Instance } from '../helpers/installation.ts'
import { untilGone } from '../helpers/processes.ts'
import { type MetricFamily, namingFaults, parseMetrics } from '../helpers/prometheus.ts'
import { untilHealthy, untilStatus, workerOf } from '../helpers/wait.ts'

type Metrics = Map<string, MetricFamily>

async function scrape({ url }: Instance, token?: string): Promise<Metrics> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const answer = await fetch(`${url}/metrics`, { headers })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  return parseMetrics(await answer.text())
}

function sumOf(metrics: Metrics, name: string, labels: Record<string, string> = {}): number {
  const fits = (own: Record<string, string>) => Object.entries(labels).every(([label, is]) => own[label] === is)
  const found = metrics.get(`showrunner_${name}`)?.series.filter((one) => fits(one.labels)) ?? []
  return found.reduce((sum, one) => sum + one.value, 0)
}

/** Every counter of `before` is there in `after`, and has not fallen. */
function assertGrown(before: Metrics, after: Metrics): void {
  for (const { name, type, series } of before.values()) {
    if (type !== 'counter') continue
    for (const { labels, value } of series) {
      const now = after.get(name)?.series.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))
      assert.ok(now && now.value >= value, `${name}${JSON.stringify(labels)} went from ${value} to ${now?.value}`)
    }
  }
}

test('the numbers are true, and counters go on through a kill, a restart and a recycling', async (t) => {
  const installation = await createInstallation(t)
  const { layout } = installation
  const gates = createGates(t)
  const instance = await installation.start()
  let n = 0
  const runOne = async () => {
    const input = { folder: gates.folder, name: `p${n++}`, steps: 1, ms: 0 }
    const { id } = await instance.api.projects.create({ pipeline: 'paced', input })
    await untilStatus({ layout, id }, 'completed')
  }
  const completed = (metrics: Metrics) => sumOf(metrics, 'queue_stages_total', { queue: 'llm', outcome: 'completed' })
  const untilCounted = (count: number) =>
    until(
      async () => {
        const metrics = await scrape(instance)
        return completed(metrics) >= count && metrics
      },
      { timeoutMs: 20_000, everyMs: 100, what: `${count} completed stages` },
    )
  for (let i = 0; i < 3; i++) await runOne()
  const all = ['redis', 'io-1', 'media-1', 'scheduler', 'supervisor']
  const isMeasured = (metrics: Metrics) =>
    all.every((process) => sumOf(metrics, 'process_resident_memory_bytes', { process }) > 1e6)
  await until(async () => isMeasured(await scrape(instance)), { timeoutMs: 10_000, what: 'all to be measured' })
  const first = await untilCounted(3)
  assert.deepEqual([...first.values()].flatMap(namingFaults), [])
  assert.equal(completed(first), 3)
  const { worker } = (await instance.api.status()).data.services
  for (const name of all) {
    assert.equal(sumOf(first, 'process_up', { process: name }), 1, name)
    assert.ok(sumOf(first, 'process_resident_memory_bytes', { process: name }) > 1e6, name)
    assert.ok(Math.abs(sumOf(first, 'process_start_time_seconds', { process: name }) - Date.now() / 1_000) < 120)
  }
  assert.equal(sumOf(first, 'redis_up'), 1)
  assert.equal(sumOf(first, 'projects', { status: 'completed' }), 3)
  assert.ok(sumOf(first, 'queue_busy_seconds_total', { queue: 'llm' }) > 0)

  // A kill: what the dead one had counted stays.
  const pid = worker.workers!.find((one) => one.name === 'io-1')!.pid!
  process.kill(pid, 'SIGKILL')
  await untilGone([pid])
  await untilHealthy(instance)
  await runOne()
  const second = await untilCounted(4)
  assertGrown(first, second)
  assert.equal(completed(second), 4)
  assert.equal(sumOf(second, 'process_restarts_total', { process: 'io-1' }), 1)

  // A restart without a gap: two processes of one slot count beside each other, and the last beat is not lost.
  for (let i = 0; i < 2; i++) await runOne()
  await instance.api.workers.restart('io-1')
  await until(async () => (await workerOf(instance, 'io-1')).restarts === 2, {
    timeoutMs: 30_000,
    what: 'the successor',
  })
  await runOne()
  await until(async () => (await instance.api.workers.list()).items.length === 2, { timeoutMs: 30_000 })
  const third = await untilCounted(7)
  assertGrown(second, third)
  assert.equal(completed(third), 7)
  const names = third.get('showrunner_process_up')!.series.map((one) => one.labels.process)
  assert.deepEqual(names.sort(), ['io-1', 'media-1', 'redis', 'scheduler', 'supervisor'])
})

test('what waits and what runs is seen, and what the queue has been waiting for', async (t) => {
  const installation = await createInstallation(t)
  const gates = createGates(t)
  const instance = await installation.start({ env: { LLM_CONCURRENCY: '1' } })
  gates.hold('p0-1')
  const make = (name: string) =>
    instance.api.projects.create({ pipeline: 'paced', input: { folder: gates.folder, name, steps: 1, ms: 0 } })
  const ids = [(await make('p0')).id]
  await gates.reached('p0-1')
  for (const name of ['p1', 'p2']) ids.push((await make(name)).id)
  const seen = await until(
    async () => {
      const metrics = await scrape(instance)
      const isOld = sumOf(metrics, 'queue_oldest_waiting_seconds', { queue: 'llm' }) > 1
      return isOld && sumOf(metrics, 'queue_jobs', { queue: 'llm', state: 'waiting' }) === 2 && metrics
    },
    { timeoutMs: 30_000, everyMs: 100, what: 'two jobs that wait, one for a second' },
  )
  assert.equal(sumOf(seen, 'queue_jobs', { queue: 'llm', state: 'active' }), 1)
  assert.equal(sumOf(seen, 'queue_jobs', { queue: 'llm', state: 'waiting' }), 2)
  assert.equal(sumOf(seen, 'process_active_jobs', { process: 'io-1' }), 1)
  assert.ok(sumOf(seen, 'queue_oldest_waiting_seconds', { queue: 'llm' }) < 60)
  gates.release('p0-1')
  for (const id of ids) await untilStatus({ layout: installation.layout, id }, 'completed')
  const waitsNone = async () => !(await scrape(instance)).get('showrunner_queue_oldest_waiting_seconds')
  await until(waitsNone, { timeoutMs: 10_000, what: 'nothing to wait any more' })
})

test('with tokens only the operator reads it', async (t) => {
  const installation = await createInstallation(t)
  const instance = await installation.start({ env: { API_TOKEN: 'op-secret', API_TOKENS: 'ann:ann-secret' } })
  const ask = async (path: string, token?: string) =>
    (await fetch(`${instance.url}${path}`, { headers: token ? { Authorization: `Bearer ${token}` } : {} })).status
  for (const path of ['/metrics', '/api/v1/workers']) {
    assert.equal(await ask(path), 401, path)
    assert.equal(await ask(path, 'ann-secret'), 403, path)
    assert.equal(await ask(path, 'op-secret'), 200, path)
  }
  await scrape(instance, 'op-secret')
})
