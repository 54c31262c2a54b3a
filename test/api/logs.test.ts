/** Logs over HTTP: cursors, a stream that goes on where it was, and readers that leave or fall behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogFrame, LogReader } from '../../src/api/deps.ts'
import { until } from '../../src/lib/until.ts'
import { fakeApp, fakeDeps } from './deps.ts'
import { createFakeLogs, fakeExplain, logLine } from './fake-records.ts'

const L = '/api/v1/logs'

test('a page, and what follows it', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  const first = (await (await app.request(`${L}?limit=1`)).json()) as { items: unknown[]; next: string }
  assert.deepEqual(first, { items: [logLine(1)], next: '1' })
  const second = (await (await app.request(`${L}?since=${first.next}`)).json()) as { items: { message: string }[] }
  assert.deepEqual(
    second.items.map(({ message }) => message),
    ['line 2'],
  )
})

test('a stream has cursors as ids, and goes on behind Last-Event-ID', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  const all = await (await app.request(`${L}?follow=true`)).text()
  assert.match(all, /^retry: \d+\n\nid: 1\ndata: \{"id":1,.*\}\n\nid: 2\ndata: \{"id":2,.*\}\n\n$/)
  const again = await (await app.request(`${L}?follow=true&since=0`, { headers: { 'last-event-id': '1' } })).text()
  assert.match(again, /^retry: \d+\n\nid: 2\ndata: \{"id":2,.*\}\n\n$/)
})

/** Endless, and tells how much of it was taken and whether it was let go. */
function endlessLogs() {
  const seen = { taken: 0, ended: false }
  const logs: LogReader = {
    ...createFakeLogs(),
    follow: async ({ signal }) => lines(signal),
  }
  async function* lines(signal: AbortSignal): AsyncGenerator<LogFrame[], void> {
    try {
      while (!signal.aborted) {
        seen.taken++
        yield [{ cursor: String(seen.taken), json: JSON.stringify({ text: 'x'.repeat(10_000) }) }]
      }
    } finally {
      seen.ended = true
    }
  }
  return { seen, logs }
}

test('a reader that does not read costs a buffer and no more, and its seat is free when it leaves', async () => {
  const { seen, logs } = endlessLogs()
  using deps = fakeDeps({ logs, maxSockets: 1 })
  const app = fakeApp(deps)
  const answer = await app.request(`${L}?follow=true`)
  const reader = answer.body!.getReader()
  await reader.read()
  let last = -1
  await until(
    () => {
      const isStill = seen.taken > 0 && seen.taken === last
      last = seen.taken
      return isStill
    },
    { timeoutMs: 5_000, everyMs: 50 },
  )
  assert.ok(seen.taken * 10_000 < 500_000, `${seen.taken} lines of 10 KB were taken`)
  assert.equal((await app.request(`${L}?follow=true`)).status, 503)
  for (let i = 0; i < 100; i++) await reader.read()
  assert.ok(seen.taken > 50, 'reading on brings more')
  await reader.cancel()
  await until(() => seen.ended, { timeoutMs: 5_000 })
  const next = await app.request(`${L}?follow=true`)
  assert.equal(next.status, 200)
  await next.body!.cancel()
})

test('explain passes the process and the moment on', async () => {
  using deps = fakeDeps()
  const answer = await fakeApp(deps).request('/status?explain=io-1&at=2026-01-01T00:00:00Z')
  const { success, data } = (await answer.json()) as { success: boolean; data: { chain: { facts: unknown }[] } }
  assert.deepEqual([success, data.chain[0]!.facts], [true, { code: 1, at_ms: Date.UTC(2026, 0, 1) }])
})

test('a time without seconds is the whole minute', async () => {
  const asked: unknown[] = []
  using deps = fakeDeps({
    explain(query) {
      asked.push(query)
      return fakeExplain(query)
    },
  })
  for (const at of ['2026-01-01T14:02Z', '2026-01-01T14:02:11Z'])
    await fakeApp(deps).request(`/status?explain=io-1&at=${at}`)
  const atMs = Date.UTC(2026, 0, 1, 14, 2)
  assert.deepEqual(asked, [
    { process: 'io-1', atMs, spanMs: 60_000 },
    { process: 'io-1', atMs: atMs + 11_000, spanMs: 1_000 },
  ])
})
