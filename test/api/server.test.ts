/** The server on a real port: what clients and time can do to it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { startServer } from '../../src/api/server.ts'
import { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { fakeApp, fakeDeps } from './deps.ts'
import { serve } from './serve.ts'

/** Sends raw bytes and gives what comes back until the other side closes or `enough` is there. */
async function talk(port: number, text: string, enough: RegExp): Promise<{ answer: string; socket: Socket }> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
  })
  socket.on('error', () => {}) // the server may cut it off; the answer tells
  socket.write(text)
  await until(() => enough.test(answer), { timeoutMs: 5_000, what: `an answer like ${enough}` })
  return { answer, socket }
}

test('it listens on a free port and answers', async () => {
  await using running = await serve()
  const answer = await fetch(`${running.server.url}/status`)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/)
})

test("a route's own headers win over the defaults", async () => {
  await using running = await serve()
  const path = join(running.deps.folder, 'a.txt')
  writeFileSync(path, 'abc')
  const artifact = { name: 'a.txt', stage: 'shout', mime: 'text/plain', bytes: 3, sha256: 'abc', file: 'a.txt' }
  running.deps.files.set('p1/a.txt', { path, artifact })
  const url = `${running.server.url}/api/v1/projects/p1/artifacts/a.txt`
  const answer = await fetch(url)
  assert.equal(await answer.text(), 'abc')
  assert.equal(answer.headers.get('cache-control'), 'private, no-cache')
  assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/)
  assert.equal(answer.headers.get('content-length'), '3')
  const head = await fetch(url, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '3')
})

for (const host of ['evil.example', 'evil.example:PORT', 'localhost:1', '127.0.0.1.evil.example:PORT'])
  test(`the Host ${host} is refused on a real socket`, async () => {
    await using running = await serve()
    const { port } = running.server
    const text = `GET /status HTTP/1.1\r\nHost: ${host.replace('PORT', String(port))}\r\nConnection: close\r\n\r\n`
    const { answer } = await talk(port, text, /"code":"forbidden"/)
    assert.match(answer, /^HTTP\/1\.1 403 /)
  })

test('an h2c upgrade gets a normal answer and its socket does not outlive the server', async () => {
  await using running = await serve()
  const { port } = running.server
  const text = `GET /livez HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`
  const { answer, socket } = await talk(port, text, /"status":"alive"/)
  assert.match(answer, /^HTTP\/1\.1 200 /)
  await running.server.close(1_000)
  await until(() => socket.destroyed || socket.readableEnded, { timeoutMs: 10_000, what: 'the socket to be closed' })
})

test('a WebSocket request where there is none gets an answer too', async () => {
  await using running = await serve()
  const { port } = running.server
  const text = `GET /ws/x HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  const { answer, socket } = await talk(port, text, /"code":"not_found"/)
  assert.match(answer, /^HTTP\/1\.1 404 /)
  socket.destroy()
})

test('a chunked body of 20 MB is refused with 413 and not kept in memory', async () => {
  await using running = await serve()
  const before = process.memoryUsage().rss
  const { status, body } = await postChunks(running.server.port, 320, 64 * 1024)
  assert.equal(status, 413)
  assert.match(body, /"code":"body_too_large"/)
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024)
  assert.equal((await fetch(`${running.server.url}/livez`)).status, 200)
})

test('a chunked body within the limit is taken', async () => {
  await using running = await serve()
  assert.equal((await postChunks(running.server.port, 10, 1_000)).status, 400) // spaces only: not JSON
})

for (const [name, text, status] of [
  ['garbage', 'garbage\r\n\r\n', 400],
  ['headers of 100 KB', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
] as const)
  test(`${name} gets a problem and a closed connection`, async () => {
    await using running = await serve()
    const { answer, socket } = await talk(running.server.port, text, /"status":\d+/)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    assert.match(answer, /content-type: application\/problem\+json/i)
    await until(() => socket.readableEnded || socket.destroyed, {
      timeoutMs: 10_000,
      what: 'the connection to be closed',
    })
  })

test('a taken port is a conflict that names its owner', async () => {
  using deps = fakeDeps()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  try {
    const attempt = startServer(fakeApp(deps), { host: '127.0.0.1', port, log: silentLog })
    await assert.rejects(attempt, (error: AppError) => {
      assert.equal(error.code, 'conflict')
      assert.ok(error.message.includes(String(port)))
      if (process.platform === 'linux') assert.ok(error.message.includes(`pid ${process.pid}`), error.message)
      return true
    })
  } finally {
    other.close()
  }
})

test('an address that is not ours is a settings error', async () => {
  using deps = fakeDeps()
  const attempt = startServer(fakeApp(deps), { host: '192.0.2.1', port: 0, log: silentLog })
  await assert.rejects(attempt, (error: AppError) => error instanceof AppError && error.code === 'settings')
})

test('a caller who leaves in the middle of a body is no fault in the log', async () => {
  const faults: unknown[] = []
  const words: string[] = []
  const note = (facts: unknown) => void faults.push(facts)
  const debug = (_facts: unknown, message: string) => void words.push(message)
  const log = { debug, info() {}, warn: note, error: note, child: () => log }
  await using running = await serve({ log })
  const { port } = running.server
  const head = `POST /api/v1/projects HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json`
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n`)
  await once(socket, 'connect')
  await fetch(`${running.server.url}/livez`)
  socket.resetAndDestroy()
  await until(() => words.includes('the caller went away'), { timeoutMs: 3_000, what: 'the loss to be noticed' })
  assert.deepEqual(faults, [])
})

/** Node sends a body of unknown length in chunks. */
async function postChunks(port: number, count: number, bytes: number): Promise<{ status: number; body: string }> {
  const headers = { 'Content-Type': 'application/json' }
  const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/projects', headers })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  request.on('error', () => {}) // the rest may be cut off once the answer is there
  const chunk = Buffer.alloc(bytes, ' ')
  for (let i = 0; i < count && !request.destroyed; i++)
    if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered])
  request.end()
  const [answer] = await answered
  let body = ''
  for await (const part of answer.setEncoding('utf8')) body += part
  return { status: answer.statusCode ?? 0, body }
}
