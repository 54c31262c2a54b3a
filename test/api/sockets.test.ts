/** WebSockets on a real port: what viewers get, who is refused and how, and that nothing is left behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import type { Log } from '../../src/lib/log.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { projectState } from './deps.ts'
import { serve } from './serve.ts'
import { openSocket, refusedHandshake } from './socket-client.ts'

const STAGE = '/ws/projects/p1/stage/shout/'
const token = (content: string, offset: number) => ({ type: 'token', stage: 'shout', content, offset }) as const

const users = { operatorToken: 'boss', users: [{ name: 'ann', token: 'ann-token' }], oneTime: createOneTimeLogins() }

async function serveP1(...args: Parameters<typeof serve>) {
  const running = await serve(...args)
  running.deps.states.set('p1', projectState({ status: 'running' }))
  return Object.assign(running, { port: running.server.port })
}

function remember() {
  const lines: { facts: Record<string, unknown>; message: string }[] = []
  const note = (facts: Record<string, unknown>, message: string) => void lines.push({ facts, message })
  const log: Log = { ...silentLog, warn: note, error: note, child: () => log }
  return { lines, log }
}

for (const path of ['/ws/projects/p1', '/ws/projects/p1/', '/ws/projects/p1/stage/shout', STAGE])
  test(`${path} connects, and brings what is said`, async () => {
    await using running = await serveP1()
    using viewer = await openSocket(running.port, path)
    await viewer.arrived(1)
    running.deps.hub.say('p1', token('Hello', 0))
    const [connected, said] = await viewer.arrived(2)
    assert.equal(connected?.type, 'connected')
    assert.deepEqual(said, { ...token('Hello', 0), seq: 1, project_id: 'p1', timestamp: 1 })
  })

test('stage, since and v reach the hub', async () => {
  await using running = await serveP1()
  using viewer = await openSocket(running.port, `${STAGE}?since=e1-0&v=2`)
  await viewer.arrived(1)
  assert.deepEqual(running.deps.hub.joins, [{ id: 'p1', stage: 'shout', since: 'e1-0', v: 2 }])
})

test('a ping is answered with its timestamp; what is unknown is not', async () => {
  await using running = await serveP1()
  using viewer = await openSocket(running.port, STAGE)
  await viewer.arrived(1)
  for (const text of ['garbage', '[]', 'null', '{"type":"dance"}']) viewer.socket.send(text)
  viewer.socket.send(JSON.stringify({ type: 'ping', timestamp: 1699000000.5 }))
  const messages = await viewer.arrived(2)
  assert.deepEqual(messages.slice(1), [{ type: 'pong', timestamp: 1699000000.5 }])
})

test('a viewer that leaves is forgotten, with its seat', async () => {
  await using running = await serveP1({ maxSockets: 1 })
  for (let round = 0; round < 3; round++) {
    const open = () => openSocket(running.port, STAGE).catch(() => undefined)
    using viewer = await until(open, { timeoutMs: 10_000, what: 'the seat to be free' })
    await viewer.arrived(1)
    viewer.socket.terminate()
    await until(() => running.deps.hub.viewers.size === 0, { timeoutMs: 3_000, what: 'the viewer to be forgotten' })
  }
})

async function refusedOrOpen(port: number): Promise<boolean> {
  const viewer = await openSocket(port, STAGE).catch(() => undefined)
  viewer?.socket.terminate()
  return viewer !== undefined
}

type Refusal = { name: string; path?: string; headers?: Record<string, string>; status: number; code: string }

const REFUSALS: Refusal[] = [
  { name: 'a foreign Host', headers: { host: 'evil.example' }, status: 403, code: 'forbidden' },
  { name: 'a foreign Origin', headers: { origin: 'http://evil.example' }, status: 403, code: 'forbidden' },
  { name: 'an opaque Origin', headers: { origin: 'null' }, status: 403, code: 'forbidden' },
  { name: 'no token', headers: {}, status: 401, code: 'unauthorized' },
  { name: 'a wrong token', headers: { authorization: 'Bearer no' }, status: 401, code: 'unauthorized' },
  { name: 'a wrong ticket', path: `${STAGE}?ticket=no`, headers: {}, status: 401, code: 'unauthorized' },
  {
    name: "another user's project",
    headers: { authorization: 'Bearer ann-token' },
    status: 404,
    code: 'not_found',
  },
  { name: 'an unknown project', path: '/ws/projects/none/', status: 404, code: 'not_found' },
  { name: 'an unknown stage', path: '/ws/projects/p1/stage/none/', status: 404, code: 'not_found' },
  { name: 'an encoded way up', path: '/ws/projects/..%2F..%2Fetc/', status: 404, code: 'not_found' },
  { name: 'an encoded way up as a stage', path: '/ws/projects/p1/stage/..%2Fshout/', status: 404, code: 'not_found' },
  { name: 'another path', path: '/ws/nothing', status: 404, code: 'not_found' },
  { name: 'a cursor that is none', path: `${STAGE}?since=yesterday`, status: 422, code: 'invalid_value' },
  { name: 'a version that is none', path: `${STAGE}?v=3`, status: 422, code: 'invalid_value' },
]

const boss: Record<string, string> = { authorization: 'Bearer boss' }

for (const { name, path = STAGE, headers = boss, status, code } of REFUSALS)
  test(`a handshake with ${name} is refused with ${status} ${code}, and nothing is left`, async () => {
    const { lines, log } = remember()
    await using running = await serveP1({ auth: users, log })
    const refused = await refusedHandshake(running.port, path, { ...(headers.host ? boss : {}), ...headers })
    assert.deepEqual([refused.status, refused.problem.code], [status, code])
    assert.equal(refused.type, 'application/problem+json')
    assert.equal(refused.headers['x-request-id'], refused.problem.request_id)
    assert.equal(running.deps.hub.joins.length, 0)
    if (status === 403) assert.match(lines[0]?.message ?? '', /ALLOWED_HOSTS/)
    const startedMs = performance.now()
    await running.server.close(20_000)
    assert.ok(performance.now() - startedMs < 10_000, 'its connection is gone')
  })

for (const [path, code] of [
  ['/ws/projects/none/', 4404],
  [`${STAGE}?since=yesterday`, 4400],
] as const)
  test(`a page of ours reads why ${path} is refused from close code ${code}`, async () => {
    await using running = await serveP1()
    using viewer = await openSocket(running.port, path, { headers: { origin: `http://127.0.0.1:${running.port}` } })
    const closed = await viewer.closed()
    assert.equal(closed.code, code)
    assert.notEqual(closed.reason, '')
    assert.equal(running.deps.hub.joins.length, 0)
  })

test('a page without a token reads close code 4401', async () => {
  await using running = await serveP1({ auth: users })
  using viewer = await openSocket(running.port, STAGE, { headers: { origin: `http://127.0.0.1:${running.port}` } })
  assert.equal((await viewer.closed()).code, 4401)
})

test('a plain request for a socket is told to upgrade', async () => {
  await using running = await serveP1()
  const answer = await fetch(`${running.server.url}${STAGE}`)
  assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [426, 'upgrade_required'])
})

test('cookie, header, ticket and subprotocol let in; a ticket once', async () => {
  await using running = await serveP1({ auth: users })
  const { port, server } = running
  using _header = await openSocket(port, STAGE, { headers: boss })
  using _cookie = await openSocket(port, STAGE, { headers: { cookie: 'showrunner_token=boss' } })
  const made = await fetch(`${server.url}/api/v1/ws-tickets`, { method: 'POST', headers: boss })
  const { ticket, expires_in_s } = (await made.json()) as { ticket: string; expires_in_s: number }
  assert.deepEqual([made.status, expires_in_s], [201, 30])
  using _ticket = await openSocket(port, `${STAGE}?ticket=${ticket}`)
  assert.equal((await refusedHandshake(port, `${STAGE}?ticket=${ticket}`)).status, 401)
  assert.equal((await fetch(`${server.url}/api/v1/projects?ticket=${ticket}`)).status, 401)
})

test('a token in a subprotocol is never repeated', async () => {
  await using running = await serveP1({ auth: users })
  using viewer = await openSocket(running.port, STAGE, { protocols: ['showrunner', 'boss'] })
  assert.equal(viewer.socket.protocol, 'showrunner')
  const first = await refusedHandshake(running.port, STAGE, { 'sec-websocket-protocol': 'boss, showrunner' })
  assert.equal(first.status, 401)
  assert.equal(first.headers['sec-websocket-protocol'], undefined)
})

test('a frame of 70 KB closes the socket, is logged, and harms nobody else', async () => {
  const { lines, log } = remember()
  await using running = await serveP1({}, { log })
  using loud = await openSocket(running.port, STAGE)
  using other = await openSocket(running.port, STAGE)
  await other.arrived(1)
  loud.socket.send('x'.repeat(70 * 1024))
  assert.equal((await loud.closed()).code, 1009)
  assert.match(lines[0]?.message ?? '', /frame over the limit/)
  running.deps.hub.say('p1', token('a', 0))
  await other.arrived(2)
  await until(() => running.deps.hub.viewers.size === 1, { timeoutMs: 3_000, what: 'the viewer to be forgotten' })
})

test('more than 20 messages a second close the socket with 4429', async () => {
  await using running = await serveP1()
  using viewer = await openSocket(running.port, STAGE)
  for (let i = 0; i < 30; i++) viewer.socket.send('{}')
  assert.equal((await viewer.closed()).code, 4429)
})

test('one viewer more than MAX_SOCKETS is refused, over every transport, and logged with the setting', async () => {
  const { lines, log } = remember()
  await using running = await serveP1({ maxSockets: 2, log })
  const { port, server } = running
  using _first = await openSocket(port, STAGE)
  const stop = new AbortController()
  const second = await fetch(`${server.url}/api/v1/projects/p1/events`, { signal: stop.signal })
  assert.equal(second.status, 200)
  const refused = await refusedHandshake(port, STAGE)
  assert.deepEqual([refused.status, refused.problem.code, refused.headers['retry-after']], [503, 'unavailable', '1'])
  assert.match(refused.problem.detail, /MAX_SOCKETS/)
  assert.equal((await fetch(`${server.url}/api/v1/projects/p1/events`)).status, 503)
  using page = await openSocket(port, STAGE, { headers: { origin: `http://127.0.0.1:${port}` } })
  assert.equal((await page.closed()).code, 4429)
  assert.equal(lines.filter((line) => line.facts.setting === 'MAX_SOCKETS').length, 1)
  stop.abort()
  await until(() => refusedOrOpen(port), { timeoutMs: 3_000, what: 'the seat of the stream to be free' })
})

test('a silent peer is pinged, and cut off when it does not answer', async () => {
  await using running = await serveP1({}, { beatMs: 20 })
  using alive = await openSocket(running.port, STAGE)
  using dead = await openSocket(running.port, STAGE)
  let pings = 0
  alive.socket.on('ping', () => pings++)
  dead.socket.pause() // its pongs are not sent, as by a machine that has gone
  await until(() => running.deps.hub.viewers.size === 1 && pings >= 2, { timeoutMs: 5_000, what: 'the dead to be cut' })
  assert.equal(alive.socket.readyState, alive.socket.OPEN)
})

test('closing the server tells viewers to come back, and ends within its deadline', async () => {
  await using running = await serveP1()
  using viewer = await openSocket(running.port, STAGE)
  using stuck = await openSocket(running.port, STAGE)
  await stuck.arrived(1)
  stuck.socket.pause()
  const startedMs = performance.now()
  const closing = running.server.close(500)
  assert.equal((await viewer.closed()).code, 1012)
  await closing
  assert.ok(performance.now() - startedMs < 10_000)
  await until(() => running.deps.hub.viewers.size === 0, { timeoutMs: 10_000, what: 'all to be forgotten' })
})

test('a hub that fails is no fault of the process', async () => {
  const { lines, log } = remember()
  await using running = await serveP1({ log })
  running.deps.hub.join = async () => Promise.reject(new Error('broken'))
  using viewer = await openSocket(running.port, STAGE)
  assert.equal((await viewer.closed()).code, 1011)
  assert.match(lines[0]?.message ?? '', /could not join/)
})
