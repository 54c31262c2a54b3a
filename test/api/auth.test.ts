/** Tokens, login links, and who sees what. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAuthenticator, createOneTimeLogins } from '../../src/api/auth.ts'
import { fakeApp, fakeDeps, jsonRequest, projectState } from './deps.ts'

const SETTINGS = {
  operatorToken: 'op-secret',
  users: [
    { name: 'ann', token: 'ann-secret' },
    { name: 'bob', token: 'bob-secret' },
  ],
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

test('without any token set, everybody is the operator', () => {
  const auth = createAuthenticator({ operatorToken: null, users: [] })
  assert.equal(auth.required, false)
  assert.deepEqual(auth.identify({ authorization: undefined, cookie: undefined }), undefined)
})

test('a token names its caller, by header or cookie; the header wins', () => {
  const auth = createAuthenticator(SETTINGS)
  const identify = (authorization?: string, cookie?: string) => auth.identify({ authorization, cookie })?.name
  assert.equal(identify('Bearer op-secret'), 'operator')
  assert.equal(identify('bearer ann-secret'), 'ann')
  assert.equal(identify(undefined, 'a=b; showrunner_token=bob-secret'), 'bob')
  assert.equal(identify('Bearer ann-secret', 'showrunner_token=bob-secret'), 'ann')
  assert.equal(identify('Bearer wrong', 'showrunner_token=bob-secret'), undefined)
  assert.equal(identify('Basic op-secret'), undefined)
  assert.equal(identify('Bearer '), undefined)
  assert.equal(identify(undefined, 'showrunner_token=%E0%A4%A'), undefined)
  assert.equal(identify(), undefined)
})

test('a login link works once and not after its time', () => {
  let nowMs = 0
  const logins = createOneTimeLogins(() => nowMs, 1_000)
  const secret = logins.issue('token')
  assert.equal(logins.take('other'), undefined)
  assert.equal(logins.take(secret), 'token')
  assert.equal(logins.take(secret), undefined)
  const late = logins.issue('token')
  nowMs = 1_000
  assert.equal(logins.take(late), undefined)
})

function guarded() {
  const deps = fakeDeps({ auth: { ...SETTINGS, oneTime: createOneTimeLogins() } })
  deps.states.set('anns', projectState({ id: 'anns', owner: 'ann' }))
  deps.states.set('ops', projectState({ id: 'ops', owner: 'operator' }))
  return { deps, app: fakeApp(deps) }
}

test('following a login link sets a closed cookie that works', async () => {
  const { deps, app } = guarded()
  using _ = deps
  const secret = deps.auth.oneTime.issue('ann-secret')
  const head = await app.request(`/login?token=${secret}`, { method: 'HEAD' })
  assert.equal(head.status, 405)
  const login = await app.request(`/login?token=${secret}`)
  assert.equal(login.status, 303)
  assert.equal(login.headers.get('location'), '/')
  const cookie = login.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^showrunner_token=ann-secret; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/)
  const list = await app.request('/api/v1/projects', { headers: { cookie: cookie.split(';')[0]! } })
  assert.equal(list.status, 200)
  assert.equal((await app.request(`/login?token=${secret}`)).status, 401)
})

test('without a token only the open paths answer', async () => {
  const { deps, app } = guarded()
  using _ = deps
  for (const path of ['/', '/status', '/status/', '/livez', '/livez/', '/readyz', '/readyz/'])
    assert.equal((await app.request(path)).status, 200, path)
  for (const path of ['/api/v1/projects', '/api/v1/pipelines', '/openapi.json', '/nothing']) {
    const answer = await app.request(path)
    assert.equal(answer.status, 401, path)
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
})

test('strangers and users see the state of health but no details', async () => {
  const { deps, app } = guarded()
  using _ = deps
  for (const headers of [{}, bearer('ann-secret'), bearer('wrong')]) {
    const text = await (await app.request('/status', { headers })).text()
    assert.match(text, /"status":"healthy"/)
    assert.doesNotMatch(text, /471\d|"pid"|p1|secret|"active":\[/)
    assert.doesNotMatch(await (await app.request('/readyz', { headers })).text(), /secret/)
  }
  const full = await (await app.request('/status', { headers: bearer('op-secret') })).text()
  assert.match(full, /"pid":4711/)
  assert.match(full, /"active":\[\{"project_id":"p1"/)
})

test("a user sees only their own projects; another one's does not exist for them", async () => {
  const { deps, app } = guarded()
  using _ = deps
  deps.files.set('ops/a.txt', {
    path: '/dev/null',
    artifact: { name: 'a.txt', stage: 'shout', mime: 'text/plain', bytes: 0, sha256: 'x', file: 'x' },
  })
  const ids = async (token: string) => {
    const { items } = (await (await app.request('/api/v1/projects', { headers: bearer(token) })).json()) as {
      items: { id: string }[]
    }
    return items.map((item) => item.id).sort()
  }
  assert.deepEqual(await ids('ann-secret'), ['anns'])
  assert.deepEqual(await ids('bob-secret'), [])
  assert.deepEqual(await ids('op-secret'), ['anns', 'ops'])
  const calls: [string, string][] = [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/start'],
    ['POST', '/resume'],
    ['POST', '/cancel'],
    ['POST', '/stages/shout/rerun'],
    ['GET', '/artifacts/a.txt'],
  ]
  for (const [method, path] of calls) {
    const answer = await app.request(`/api/v1/projects/ops${path}`, { method, headers: bearer('ann-secret') })
    assert.equal(answer.status, 404, `${method} ${path}`)
  }
  assert.ok(deps.states.has('ops'))
  assert.equal((await app.request('/api/v1/projects/ops', { headers: bearer('op-secret') })).status, 200)
  const made = await app.request(
    '/api/v1/projects',
    jsonRequest({ pipeline: 'hello', input: { text: 'x' } }, bearer('bob-secret')),
  )
  assert.equal(((await made.json()) as { owner: string }).owner, 'bob')
})
