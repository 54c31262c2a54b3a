/** The server of these tests as a program of its own, as tests use it whose processes die. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

test('tells its address, fails on request, and counts', async (t) => {
  const program = join(import.meta.dirname, '../../helpers/openai-server.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  const [line] = await once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(60_000) })
  const { url } = JSON.parse(line as string) as { url: string }
  const control = (name: string, init?: RequestInit) =>
    fetch(new URL(`/control/${name}`, url), init).then((r) => r.json())
  await control('behaviour', { method: 'POST', body: JSON.stringify({ faults: [{ kind: 'rate_limit' }] }) })
  const ask = () =>
    fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-client-request-id': 'k' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] }),
    })
  assert.equal((await ask()).status, 429)
  const answer = await ask()
  assert.equal(answer.status, 200)
  assert.equal(((await answer.json()) as any).choices[0].finish_reason, 'stop')
  assert.deepEqual(await control('counts'), { k: 2 })
})
