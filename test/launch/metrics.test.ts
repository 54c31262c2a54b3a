/** What /metrics says of a known world, and that it says so in Prometheus' own format. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics, type MetricSources } from '../../src/launch/metrics.ts'
import { createTotals } from '../../src/launch/totals.ts'
import type { ChildStatus } from '../../src/supervisor/child-record.ts'
import { namingFaults, parseMetrics } from '../helpers/prometheus.ts'
import { childStatus } from './child-status.ts'

const QUEUE = { completed: 5, failed: 1, retried: 2, released: 0, started: 9, busy_s: 12.5 }
const NOW_S = Date.now() / 1_000

function sources(changes: Partial<MetricSources> = {}): MetricSources {
  return {
    version: '1.2.3',
    children: () => [
      childStatus({ name: 'redis', group: 'redis', cpu_s: 3, beat_age_s: null, beat: null }),
      childStatus({
        name: 'io-1',
        pid: 12,
        restarts: 2,
        cpu_s: 1.5,
        beat: { loop_delay_ms: 12, queues: { llm: QUEUE } },
      }),
      childStatus({
        name: 'io-2',
        pid: null,
        alive: false,
        ready: false,
        rss_bytes: 0,
        beat_age_s: null,
        started_at: null,
      }),
    ],
    held: (pid) => (pid === 12 ? [heldJob(true), heldJob(true), heldJob(false)] : []),
    totals: createTotals(),
    counts: async () => ({ llm: { waiting: 3, active: 2, failed: 0 } }),
    oldest: async () => new Map([['llm', Date.now() - 5_000]]),
    redis: () => ({ running: true, latency_ms: 0.5, since: '2026-01-01T00:00:00.000Z', refusal: null }),
    catalog: { counts: async () => ({ running: 2, completed: 40 }) },
    hub: { stats: () => ({ viewers: 7, projects: 3, conflations: 11, resumes: { recovered: 4, fresh: 2 } }) },
    ...changes,
  }
}

function heldJob(running: boolean) {
  const since = '2026-01-01T00:00:00.000Z'
  const about = { projectId: 'p1', owner: 'o', stage: 's', taskId: 'p1-1', queue: 'llm' as const, token: 't' }
  return { ...about, since, running, limit: null }
}

async function scrape(from: MetricSources) {
  const { text, contentType } = await createMetrics(from)({ taken: 4, max: 1_000 })
  const families = parseMetrics(text)
  const value = (name: string, labels: Record<string, string> = {}) => {
    const found = families
      .get(`showrunner_${name}`)
      ?.series.filter((one) => Object.entries(labels).every(([label, is]) => one.labels[label] === is))
    return found?.length === 1 ? found[0]!.value : undefined
  }
  return { text, contentType, families, value }
}

test('every number is where its name says', async () => {
  const { value, contentType } = await scrape(sources())
  assert.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
  const expected: [string, Record<string, string>, number][] = [
    ['build_info', { version: '1.2.3' }, 1],
    ['process_up', { process: 'io-1', group: 'io' }, 1],
    ['process_up', { process: 'io-2' }, 0],
    ['process_ready', { process: 'io-2' }, 0],
    ['process_up', { process: 'supervisor' }, 1],
    ['process_resident_memory_bytes', { process: 'io-1' }, 80_000_000],
    ['process_last_beat_age_seconds', { process: 'io-1' }, 0.4],
    ['process_event_loop_delay_seconds', { process: 'io-1' }, 0.012],
    ['process_active_jobs', { process: 'io-1' }, 2],
    ['process_cpu_seconds_total', { process: 'io-1', group: 'io' }, 1.5],
    ['process_restarts_total', { process: 'io-1', group: 'io' }, 2],
    ['queue_jobs', { queue: 'llm', state: 'waiting' }, 3],
    ['queue_jobs', { queue: 'llm', state: 'active' }, 2],
    ['queue_stages_total', { queue: 'llm', outcome: 'completed' }, 5],
    ['queue_stages_total', { queue: 'llm', outcome: 'retried' }, 2],
    ['queue_jobs_started_total', { queue: 'llm' }, 9],
    ['queue_busy_seconds_total', { queue: 'llm' }, 12.5],
    ['projects', { status: 'completed' }, 40],
    ['projects', { status: 'failed' }, 0],
    ['stream_viewers', {}, 7],
    ['stream_conflations_total', {}, 11],
    ['stream_joins_total', { how: 'recovered' }, 4],
    ['live_connections', {}, 4],
    ['live_connections_limit', {}, 1_000],
    ['redis_up', {}, 1],
    ['redis_latency_seconds', {}, 0.0005],
  ]
  for (const [name, labels, is] of expected) assert.equal(value(name, labels), is, `${name} ${JSON.stringify(labels)}`)
  const oldestS = value('queue_oldest_waiting_seconds', { queue: 'llm' })!
  assert.ok(oldestS >= 5 && oldestS < 60, `${oldestS} s`)
  assert.ok(Math.abs(value('process_start_time_seconds', { process: 'supervisor' })! - NOW_S) < 60)
  assert.ok(value('process_resident_memory_bytes', { process: 'supervisor' })! > 10e6)
  assert.equal(value('process_last_beat_age_seconds', { process: 'redis' }), undefined, 'it gives no beats')
  assert.equal(value('process_active_jobs', { process: 'redis' }), undefined)
  assert.equal(value('queue_jobs', { state: 'failed' }), undefined, 'no queue keeps any')
  assert.equal(value('process_start_time_seconds', { process: 'io-2' }), undefined, 'it does not run')
})

test('names and labels keep to the conventions, and no label names a project', async () => {
  const { families, text } = await scrape(sources())
  assert.deepEqual([...families.values()].flatMap(namingFaults), [])
  assert.ok(families.size >= 20)
  assert.doesNotMatch(text, /p1/)
  const labels = new Set(
    [...families.values()].flatMap(({ series }) => series.flatMap((one) => Object.keys(one.labels))),
  )
  assert.deepEqual([...labels].sort(), ['group', 'how', 'outcome', 'process', 'queue', 'state', 'status', 'version'])
})

test('while Redis is silent its numbers are left out, and the answer comes all the same', async () => {
  const away = {
    counts: () => new Promise<never>(() => {}),
    oldest: () => Promise.reject(new Error('no connection')),
    redis: () => ({ running: false, latency_ms: null, since: '2026-01-01T00:00:00.000Z', refusal: null }),
  }
  const startedMs = performance.now()
  const { families, value } = await scrape(sources(away))
  assert.ok(performance.now() - startedMs < 20_000)
  assert.equal(value('redis_up'), 0)
  for (const name of ['redis_latency_seconds', 'queue_jobs', 'queue_oldest_waiting_seconds'])
    assert.ok(!families.has(`showrunner_${name}`), name)
  assert.equal(value('process_up', { process: 'io-1' }), 1)
})

test('what is gone leaves no series, and what was counted stays', async () => {
  let children: ChildStatus[] = sources().children()
  const metrics = createMetrics(sources({ children: () => children }))
  const read = async () => parseMetrics((await metrics({ taken: 0, max: 1 })).text)
  await read()
  children = []
  const families = await read()
  const up = families.get('showrunner_process_up')!.series.map((one) => one.labels.process)
  assert.deepEqual(up, ['supervisor'])
  const restarts = families.get('showrunner_process_restarts_total')!.series.map((one) => one.labels)
  assert.deepEqual(
    restarts.find(({ process }) => process === 'io-2'),
    { process: 'io-2', group: 'io' },
  )
  const completed = families
    .get('showrunner_queue_stages_total')!
    .series.find((one) => one.labels.outcome === 'completed')
  assert.equal(completed?.value, 5)
})

test('labels with quotes, backslashes and line ends are escaped', async () => {
  const version = 'a "b" \\ c\nd'
  const { families } = await scrape(sources({ version }))
  assert.equal(families.get('showrunner_build_info')?.series[0]?.labels.version, version)
})

const BREACHES: [string, string][] = [
  ['no end of the last line', '# HELP a b\n# TYPE a gauge\na 1'],
  ['a family twice', '# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\na 2\n'],
  ['a series twice', '# HELP a b\n# TYPE a gauge\na{x="1",y="2"} 1\na{y="2",x="1"} 1\n'],
  ['no type', '# HELP a b\na 1\n'],
  ['an unknown type', '# HELP a b\n# TYPE a meter\na 1\n'],
  ['a value of another family', '# HELP a b\n# TYPE a gauge\nb 1\n'],
  ['a label without quotes', '# HELP a b\n# TYPE a gauge\na{x=1} 1\n'],
  ['a bad escape', '# HELP a b\n# TYPE a gauge\na{x="\\q"} 1\n'],
  ['a label twice', '# HELP a b\n# TYPE a gauge\na{x="1",x="2"} 1\n'],
  ['a word for a number', '# HELP a b\n# TYPE a gauge\na one\n'],
  ['no value', '# HELP a b\n# TYPE a gauge\n'],
]
for (const [name, text] of BREACHES)
  test(`the reader itself finds ${name}`, () => {
    assert.throws(() => parseMetrics(text))
  })

test('the judge of names finds what breaks the conventions', () => {
  const family = (name: string, type: string, ...labels: string[]) => {
    const series = [{ name, labels: Object.fromEntries(labels.map((label) => [label, 'x'])), value: 1 }]
    return { name, type, help: 'h', series }
  }
  assert.deepEqual(namingFaults(family('showrunner_jobs_total', 'counter', 'queue')), [])
  for (const bad of [
    family('jobs_total', 'counter'),
    family('showrunner_jobs', 'counter'),
    family('showrunner_jobs_total', 'gauge'),
    family('showrunner_latency_ms', 'gauge'),
    family('showrunner_jobsDone', 'gauge'),
    family('showrunner_jobs', 'gauge', 'projectId'),
  ])
    assert.notDeepEqual(namingFaults(bad), [], bad.name)
})
