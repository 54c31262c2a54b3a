/** What comes back from a process that is asked where it is can be anything: it never becomes a fault of the asker. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { createStackReader, INSPECTOR_FLAGS } from '../../src/supervisor/capture.ts'

const OWN = { functionName: 'evaluate', scriptName: '', lineNumber: 1, columnNumber: 1 }

for (const [what, reply, wanted] of [
  ['no JSON', () => 'hello', undefined],
  ['JSON null', () => 'null', undefined],
  ['an error', (id: number) => JSON.stringify({ id, error: { message: 'no' } }), undefined],
  ['frames that are no list', sites('nonsense'), undefined],
  ['a frame without a file', sites([OWN, { functionName: 'f', lineNumber: 1 }]), undefined],
  ['a file on another host', sites([OWN, { ...OWN, scriptName: 'file://host/x.js' }]), 'file://host/x.js'],
] as const)
  test(`the answer is ${what}`, async (t) => {
    const url = await fakeInspector(t, reply)
    const reader = createStackReader(await startNode(t), ['/nowhere'])
    const reading = reader.read(30_000)
    reader.takes(`Debugger listening on ${url}`)
    assert.equal((await reading)?.file, wanted)
  })

function sites(all: unknown) {
  return (id: number) => JSON.stringify({ id, result: { result: { value: { sites: all, scope: null } } } })
}

/** Answers each question in its own way. */
async function fakeInspector(t: TestContext, reply: (id: number) => string): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(reply((JSON.parse(String(data)) as { id: number }).id)))
  })
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/secret`
}

/** One that can be asked; what it says about its own inspector is not heard. */
async function startNode(t: TestContext): Promise<number> {
  const file = fileURLToPath(new URL('../fixtures/children/stuck.ts', import.meta.url))
  const args = ['--disable-warning=ExperimentalWarning', ...INSPECTOR_FLAGS, file]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child.pid!
}
