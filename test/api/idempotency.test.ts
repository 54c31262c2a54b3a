/** Idempotency-Key: one effect and one answer for a key, whatever is repeated, concurrent, refused or killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import type { ApiDeps } from '../../src/api/deps.ts'
import { createIdempotency, KEY_LIFE_MS, removeExpiredKeys } from '../../src/api/idempotency.ts'
import { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { until } from '../../src/lib/until.ts'
import { fakeApp, fakeDeps, jsonRequest } from './deps.ts'

const PATH = '/api/v1/projects'
const good = { pipeline: 'hello', input: { text: 'hi' } }
const keyed = (key: string, body: unknown = good, more: Record<string, string> = {}) =>
  jsonRequest(body, { 'idempotency-key': key, ...more })

test('the same key and body give the same answer and one project, also from another instance', async () => {
  using deps = fakeDeps()
  const first = await fakeApp(deps).request(PATH, keyed('k1'))
  // Key order is no difference; nor is quoting the key.
  const again = await fakeApp(deps).request(PATH, keyed('"k1"', { input: { text: 'hi' }, pipeline: 'hello' }))
  assert.equal(first.status, 201)
  assert.equal(again.status, 201)
  assert.equal(again.headers.get('location'), first.headers.get('location'))
  assert.equal(first.headers.get('idempotency-replayed'), null)
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.equal(await again.text(), await first.text())
  assert.equal(deps.states.size, 1)
})

test('the same key with another body is 422 and makes nothing', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  await app.request(PATH, keyed('k1'))
  const other = await app.request(PATH, keyed('k1', { ...good, title: 'other' }))
  assert.equal(other.status, 422)
  assert.equal(((await other.json()) as { code: string }).code, 'key_reused')
  assert.equal(deps.states.size, 1)
})

test('a key belongs to its user', async () => {
  const users = [
    { name: 'ann', token: 'a' },
    { name: 'bob', token: 'b' },
  ]
  using deps = fakeDeps({ auth: { operatorToken: null, users, oneTime: createOneTimeLogins() } })
  const app = fakeApp(deps)
  for (const token of ['a', 'b']) {
    const answer = await app.request(PATH, keyed('k1', good, { authorization: `Bearer ${token}` }))
    assert.equal(answer.headers.get('idempotency-replayed'), null)
  }
  assert.equal(deps.states.size, 2)
})

test('while the first request runs, the same is 409 and another body 422', async () => {
  using deps = fakeDeps()
  const gate = Promise.withResolvers<void>()
  const create: ApiDeps['commands']['create'] = async (request) => {
    await gate.promise
    return deps.commands.create(request)
  }
  const app = fakeApp({ ...deps, commands: { ...deps.commands, create } })
  const first = app.request(PATH, keyed('k1'))
  const codes = await Promise.all(
    [keyed('k1'), keyed('k1', { ...good, title: 'x' })].map(async (init) => {
      const answer = await app.request(PATH, init)
      return [answer.status, ((await answer.json()) as { code: string }).code]
    }),
  )
  assert.deepEqual(codes, [
    [409, 'in_progress'],
    [422, 'key_reused'],
  ])
  gate.resolve()
  assert.equal((await first).status, 201)
})

test('a refused request frees its key for a corrected one', async () => {
  using deps = fakeDeps()
  const app = fakeApp(deps)
  assert.equal((await app.request(PATH, keyed('k1', { ...good, input: { text: 1 } }))).status, 422)
  assert.equal((await app.request(PATH, keyed('k1'))).status, 201)
})

test('a key of wrong characters is refused', async () => {
  using deps = fakeDeps()
  const answer = await fakeApp(deps).request(PATH, keyed('a'.repeat(256)))
  assert.equal(answer.status, 422)
  const { errors } = (await answer.json()) as { errors: { in: string; pointer: string }[] }
  assert.deepEqual(
    errors.map((e) => [e.in, e.pointer]),
    [['header', '/Idempotency-Key']],
  )
})

test('after a failure in the middle the key keeps its id and takes up what was made', async () => {
  using deps = fakeDeps()
  let fails = true
  const create: ApiDeps['commands']['create'] = async (request) => {
    const answer = await deps.commands.create({ ...request, autostart: false })
    if (fails) throw new AppError('disk', 'The disk is full')
    return answer
  }
  const app = fakeApp({ ...deps, commands: { ...deps.commands, create } })
  assert.equal((await app.request(PATH, keyed('k1'))).status, 507)
  const [id] = deps.states.keys()
  fails = false
  const answer = await app.request(PATH, keyed('k1'))
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('location'), `${PATH}/${id}`)
  assert.equal(((await answer.json()) as { status: string }).status, 'queued', 'it was started, as asked')
  assert.deepEqual([...deps.states.keys()], [id])
})

for (const moment of ['before', 'after'] as const)
  test(`killed ${moment} the effect, the same key repeats it under the same id`, { timeout: 20_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'showrunner-key-'))
    let child: ChildProcess | undefined
    try {
      child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', FIXTURE, folder, moment], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const made = () => readdirSync(folder).filter((name) => name.startsWith('made-'))
      let output = ''
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text))
      const id = await until(() => /^at (\S+)\n/.exec(output)?.[1], {
        timeoutMs: 10_000,
        what: 'the child to be in the middle',
      })
      child.kill('SIGKILL')
      await once(child, 'exit')
      assert.equal(made().length, moment === 'after' ? 1 : 0)
      const ids: [string, boolean][] = []
      const store = createIdempotency({ folder: join(folder, 'keys'), log: silentLog })
      const run = async (newId: string, again: boolean) => {
        ids.push([newId, again])
        return { status: 201, location: `/${newId}`, body: { id: newId } }
      }
      const request = { user: 'operator', key: 'k', request: { a: 1 }, run }
      assert.equal((await store.once(request)).replayed, false)
      assert.deepEqual(ids, [[id, true]])
      assert.deepEqual(await store.once(request), { status: 201, location: `/${id}`, body: { id }, replayed: true })
      assert.equal(ids.length, 1)
    } finally {
      child?.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  })

const FIXTURE = join(import.meta.dirname, 'fixtures/keyed-request.ts')

test('a key is forgotten after its time, and its file removed', async () => {
  using deps = fakeDeps()
  const folder = deps.paths.idempotency
  let nowMs = Date.now()
  const store = createIdempotency({ folder, log: silentLog, now: () => nowMs })
  const ids: string[] = []
  const run = async (id: string) => {
    ids.push(id)
    return { status: 201, location: null, body: {} }
  }
  const request = { user: 'u', key: 'k', request: {}, run }
  await store.once(request)
  nowMs += KEY_LIFE_MS - 1
  await store.once(request)
  assert.equal(ids.length, 1)
  nowMs += 1
  await store.once(request)
  assert.equal(ids.length, 2)
  assert.notEqual(ids[0], ids[1])
  assert.equal(await removeExpiredKeys(folder, Date.now()), 0)
  const [name] = readdirSync(folder)
  utimesSync(join(folder, name!), new Date(), new Date(Date.now() - KEY_LIFE_MS - 1_000))
  assert.equal(await removeExpiredKeys(folder, Date.now()), 1)
  assert.deepEqual(readdirSync(folder), [])
  assert.equal(await removeExpiredKeys(join(folder, 'none'), Date.now()), 0)
})

test('records say no key and no user in their names', async () => {
  using deps = fakeDeps()
  await fakeApp(deps).request(PATH, keyed('k1'))
  const [name, ...others] = readdirSync(deps.paths.idempotency)
  assert.deepEqual(others, [])
  assert.match(name!, /^[0-9a-f]{64}\.json$/)
  assert.equal(JSON.parse(readFileSync(join(deps.paths.idempotency, name!), 'utf8')).answer.status, 201)
})
