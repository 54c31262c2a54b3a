/** Closing the server: idle connections at once, running requests until the deadline, nothing after it. */
import assert from 'node:assert/strict'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { startServer } from '../../src/api/server.ts'
import { silentLog } from '../../src/lib/log.ts'
import { fakeApp, fakeDeps, statusData } from './deps.ts'
import { serve } from './serve.ts'

test('closing ends idle kept-alive connections at once', async () => {
  await using running = await serve()
  const agent = new Agent({ keepAlive: true })
  await get(running.server.port, '/livez', agent)
  const startedMs = performance.now()
  await running.server.close(20_000)
  assert.ok(performance.now() - startedMs < 10_000)
  await assert.rejects(fetch(`${running.server.url}/livez`))
  agent.destroy()
})

test('closing lets a running request end, and refuses new ones', async () => {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const status = async () => {
    entered.resolve()
    await gate.promise
    return statusData('healthy')
  }
  await using running = await serve({ status })
  const answer = fetch(`${running.server.url}/status`)
  await entered.promise
  const closed = running.server.close(20_000)
  await assert.rejects(fetch(`${running.server.url}/livez`))
  gate.resolve()
  assert.equal((await answer).status, 200)
  const startedMs = performance.now()
  await closed
  assert.ok(performance.now() - startedMs < 10_000)
})

test('closing cuts off at its deadline what does not end', async () => {
  const entered = Promise.withResolvers<void>()
  const status = async () => {
    entered.resolve()
    return new Promise<never>(() => {})
  }
  await using running = await serve({ status })
  const refused = assert.rejects(fetch(`${running.server.url}/status`))
  await entered.promise
  const startedMs = performance.now()
  await running.server.close(200)
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs >= 190 && tookMs < 10_000, `${tookMs} ms`)
  await refused
})

test('an aborted signal ends the server', async () => {
  using deps = fakeDeps()
  const stop = new AbortController()
  const server = await startServer(fakeApp(deps), { host: '127.0.0.1', port: 0, log: silentLog, signal: stop.signal })
  stop.abort()
  await assert.rejects(fetch(`${server.url}/livez`))
  await server.close(1_000)
})

function get(port: number, path: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, path, agent, host: '127.0.0.1' }, (answer) =>
      answer.resume().once('end', () => resolve(answer)),
    )
      .once('error', reject)
      .end()
  })
}
