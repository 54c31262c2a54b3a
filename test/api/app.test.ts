/** What every answer has: security headers, a request id, and faults that stay inside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem } from '../../src/api/schemas/problem.ts'
import { fakeApp, fakeDeps, statusData } from './deps.ts'

test('a 405 says what the path takes', async () => {
  using deps = fakeDeps()
  const answer = await fakeApp(deps).request('/api/v1/projects/p1', { method: 'PATCH' })
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, DELETE')
})

test('every answer carries the security headers and a request id', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  for (const path of ['/', '/status', '/nothing', '/openapi.json', '/api/v1/projects']) {
    const { headers } = await app.request(path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  }
})

test("a caller's request id is kept when it is one, else replaced", async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  const idFor = async (id: string) =>
    (await app.request('/livez', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  assert.equal(await idFor('trace-1'), 'trace-1')
  assert.notEqual(await idFor('a b'), 'a b')
})

const FAULTS: [string, () => never][] = [
  [
    'an error',
    () => {
      throw new Error('boom at /secret/path')
    },
  ],
  [
    'a string',
    () => {
      throw 'boom at /secret/path'
    },
  ],
  [
    'nothing',
    () => {
      throw undefined
    },
  ],
  [
    'a full disk',
    () => {
      throw Object.assign(new Error("ENOSPC, write '/secret/path'"), { code: 'ENOSPC' })
    },
  ],
]

for (const [name, fault] of FAULTS)
  test(`a route that throws ${name} answers without detail and is logged`, async () => {
    const lines: Record<string, unknown>[] = []
    const note = (facts: Record<string, unknown>) => void lines.push(facts)
    const log = { debug() {}, info() {}, warn: note, error: note, child: () => log }
    using deps = fakeDeps({ log, status: async () => fault(), pipelines: fault })
    const app = fakeApp(deps)
    for (const path of ['/status', '/api/v1/pipelines']) {
      const answer = await app.request(path)
      assert.equal(answer.status, name === 'a full disk' ? 507 : 500)
      const text = await answer.text()
      assert.doesNotMatch(text, /secret|boom/)
      assert.equal(lines.at(-1)?.request_id, (JSON.parse(text) as Problem).request_id)
    }
    assert.equal(lines.length, 2)
    assert.equal((await app.request('/livez')).status, 200)
  })

test('/status is 200 while work is done and 503 otherwise, with the same shape', async () => {
  for (const [status, code] of [
    ['healthy', 200],
    ['degraded', 200],
    ['starting', 503],
    ['unhealthy', 503],
    ['stopping', 503],
  ] as const) {
    using deps = fakeDeps({ status: async () => statusData(status) })
    const answer = await fakeApp(deps).request('/status')
    assert.equal(answer.status, code)
    assert.deepEqual(await answer.json(), { success: code === 200, data: statusData(status) })
  }
})

test('/readyz is 503 when a check fails', async () => {
  using deps = fakeDeps({ ready: async () => ({ ok: false, checks: [{ name: 'redis', ok: false, message: 'away' }] }) })
  const answer = await fakeApp(deps).request('/readyz')
  assert.equal(answer.status, 503)
  assert.deepEqual(await answer.json(), { ready: false, checks: [{ name: 'redis', ok: false, message: 'away' }] })
})

test('the start page needs nothing from elsewhere', async () => {
  using deps = fakeDeps()
  const answer = await fakeApp(deps).request('/')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/i)
  const page = await answer.text()
  for (const path of ['/status', '/openapi.json', '/api/v1/projects']) assert.ok(page.includes(`href="${path}"`))
  assert.doesNotMatch(page, /https?:\/\/|src=/)
})
