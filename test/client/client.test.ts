/** The typed client against the real app: results, errors by code, deadlines, and waiting. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import type { ClientSettings } from '../../src/client/call.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { AppError, type ErrorCode } from '../../src/lib/errors.ts'
import { type Fake, fakeApp, fakeDeps, projectState, statusData } from '../api/deps.ts'

const good = { pipeline: 'hello', input: { text: 'hi' } }

/** A client that calls the app directly, without a port. */
function clientOf(deps: Fake, settings: Partial<ClientSettings> = {}): Client {
  const app = fakeApp(deps)
  const viaApp = async (input: unknown, init?: RequestInit) => app.request(String(input), init)
  return createClient({ url: 'http://localhost:8000', fetch: viaApp as typeof fetch, ...settings })
}

function hasCode(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

test('every call of a project does what it says', async () => {
  using deps = fakeDeps()
  const client = clientOf(deps)
  const made = await client.projects.create({ ...good, autostart: false })
  assert.equal(made.status, 'pending')
  assert.equal((await client.projects.start(made.id)).dispatch, 'queued')
  assert.equal((await client.projects.cancel(made.id)).status, 'cancelled')
  assert.equal((await client.projects.resume(made.id)).status, 'queued')
  assert.equal((await client.projects.rerun(made.id, 'shout', { and_following: true })).status, 'queued')
  assert.equal((await client.projects.get(made.id)).id, made.id)
  assert.deepEqual(
    (await client.projects.list({ status: 'queued', limit: 5 })).items.map((item) => item.id),
    [made.id],
  )
  await client.projects.cancel(made.id)
  assert.equal(await client.projects.remove(made.id), undefined)
  assert.equal(deps.states.size, 0)
})

test('an idempotency key is passed on', async () => {
  using deps = fakeDeps()
  const client = clientOf(deps)
  const first = await client.projects.create(good, { idempotencyKey: 'k1' })
  assert.equal((await client.projects.create(good, { idempotencyKey: 'k1' })).id, first.id)
  await assert.rejects(client.projects.create({ ...good, title: 'x' }, { idempotencyKey: 'k1' }), hasCode('key_reused'))
})

test('health is an answer, also when it is bad', async () => {
  using deps = fakeDeps({ status: async () => statusData('unhealthy'), ready: async () => ({ ok: false, checks: [] }) })
  const client = clientOf(deps)
  assert.equal((await client.status()).success, false)
  assert.equal((await client.readyz()).ready, false)
  assert.equal((await client.livez()).status, 'alive')
  assert.equal((await client.pipelines()).items[0]?.name, 'hello')
})

test("errors carry the server's code, sentence, request id and pointers", async () => {
  using deps = fakeDeps()
  const client = clientOf(deps)
  await assert.rejects(client.projects.get('none'), hasCode('not_found'))
  await assert.rejects(client.projects.create({ ...good, input: { text: 1 } }), (error: AppError) => {
    assert.equal(error.code, 'invalid_value')
    assert.equal(error.message, 'input.text: expected string')
    assert.deepEqual(error.details?.errors, [{ pointer: '/input/text', detail: 'expected string' }])
    assert.equal(typeof error.details?.request_id, 'string')
    return true
  })
})

test('ids and names are encoded, never a path', async () => {
  using deps = fakeDeps()
  await assert.rejects(clientOf(deps).projects.get('../../status'), hasCode('not_found'))
})

test('the token is sent', async () => {
  using deps = fakeDeps({ auth: { operatorToken: 'secret', users: [], oneTime: createOneTimeLogins() } })
  assert.deepEqual((await clientOf(deps, { token: 'secret' }).projects.list()).items, [])
  await assert.rejects(clientOf(deps).projects.list(), hasCode('unauthorized'))
})

test('a file comes as a stream, in parts when asked', async () => {
  using deps = fakeDeps()
  const path = join(deps.folder, 'a')
  writeFileSync(path, '0123456789')
  const artifact = { name: 'a b.txt', stage: 'shout', mime: 'text/plain', bytes: 10, sha256: 'hash', file: 'a' }
  deps.files.set('p1/a b.txt', { path, artifact })
  const client = clientOf(deps)
  const whole = await client.projects.artifact('p1', 'a b.txt')
  assert.deepEqual(
    [whole.status, whole.mime, whole.bytes, whole.etag],
    [200, 'text/plain; charset=utf-8', 10, '"hash"'],
  )
  assert.equal(await new Response(whole.stream).text(), '0123456789')
  const part = await client.projects.artifact('p1', 'a b.txt', { range: 'bytes=2-3' })
  assert.deepEqual([part.status, await new Response(part.stream).text()], [206, '23'])
})

test('nobody there, a late answer and an abort are told apart', async () => {
  const client = createClient({ url: 'http://127.0.0.1:1' })
  await assert.rejects(client.livez(), hasCode('unavailable'))
  const never = ((_url: unknown, init?: RequestInit) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
    )) as typeof fetch
  await assert.rejects(
    createClient({ url: 'http://localhost', fetch: never, timeoutMs: 20 }).livez(),
    hasCode('timeout'),
  )
  const reason = new Error('enough')
  const hanging = createClient({ url: 'http://localhost', fetch: never })
  await assert.rejects(hanging.livez({ signal: AbortSignal.abort(reason) }), (error) => error === reason)
  const stop = new AbortController()
  const call = hanging.livez({ signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(call, (error) => error === reason)
})

test('an answer of something else is an error by its status', async () => {
  const other = (status: number) => (async () => new Response('<html>', { status })) as unknown as typeof fetch
  const client = (status: number) => createClient({ url: 'http://localhost', fetch: other(status) })
  await assert.rejects(client(404).livez(), hasCode('not_found'))
  await assert.rejects(client(418).livez(), hasCode('unavailable'))
  await assert.rejects(client(200).livez(), hasCode('unavailable'))
})

test('waiting tells every new revision once and ends with the project', async () => {
  using deps = fakeDeps()
  const script = [
    projectState({ revision: 1, status: 'queued' }),
    projectState({ revision: 1, status: 'queued' }),
    projectState({ revision: 2, status: 'running' }),
    projectState({ revision: 3, status: 'failed' }),
  ]
  deps.projects.read = async () => (script.length > 1 ? script.shift() : script[0])
  const seen: number[] = []
  const onState = (state: { revision: number }) => void seen.push(state.revision)
  const ended = await clientOf(deps).waitFor('p1', { everyMs: 1, timeoutMs: 5_000, onState })
  assert.equal(ended.status, 'failed')
  assert.deepEqual(seen, [1, 2, 3])
})

test('waiting rides out a restart of the server, but not for ever', async () => {
  using deps = fakeDeps()
  deps.states.set('p1', projectState())
  const app = fakeApp(deps)
  let refusals = 3
  const flaky = (async (input: unknown, init?: RequestInit) => {
    if (refusals-- > 0) throw new TypeError('fetch failed')
    return app.request(String(input), init)
  }) as typeof fetch
  const client = createClient({ url: 'http://localhost', fetch: flaky })
  assert.equal((await client.waitFor('p1', { everyMs: 1, timeoutMs: 5_000 })).status, 'completed')
  refusals = Infinity
  await assert.rejects(client.waitFor('p1', { everyMs: 1, timeoutMs: 5_000, absentMs: 20 }), hasCode('unavailable'))
})

test('waiting ends at its deadline and by its signal', async () => {
  using deps = fakeDeps()
  deps.states.set('p1', projectState({ status: 'running' }))
  const client = clientOf(deps)
  await assert.rejects(client.waitFor('p1', { everyMs: 1, timeoutMs: 20 }), hasCode('timeout'))
  const stop = new AbortController()
  const reason = new Error('enough')
  const waiting = client.waitFor('p1', { timeoutMs: 5_000, signal: stop.signal, onState: () => stop.abort(reason) })
  await assert.rejects(waiting, (error) => error === reason)
  await assert.rejects(client.waitFor('none'), hasCode('not_found'))
})
