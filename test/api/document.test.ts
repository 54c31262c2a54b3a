/** The OpenAPI document against the real thing: every route is in it, and every answer is as it says. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import { AppError } from '../../src/lib/errors.ts'
import { type Fake, fakeApp, fakeDeps, jsonRequest, projectState, statusData, taskView } from './deps.ts'
import { type Components, type JsonSchema, violations } from './json-schema.ts'
import { type Answered, ELSEWHERE, LIVE } from './live-answers.ts'
import { OPERATOR } from './operator-answers.ts'

type Operation = {
  summary?: string
  responses: Record<
    string,
    { content?: Record<string, { schema: JsonSchema }>; headers?: Record<string, { required?: boolean }> }
  >
}
type Document = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Components }
}

let document: Document

before(async () => {
  using deps = fakeDeps()
  document = (await (await fakeApp(deps).request('/openapi.json')).json()) as Document
})

test('it is OpenAPI 3.1 and describes exactly the mounted routes', () => {
  using deps = fakeDeps()
  const mounted = fakeApp(deps).routes.filter((route) => route.path !== '/*')
  const names = new Set(
    mounted.map((route) => `${route.method.toLowerCase()} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`),
  )
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  )
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(described.sort(), [...names].sort())
})

test('every operation says what it is for, and errors are problems', () => {
  for (const [path, item] of Object.entries(document.paths))
    for (const operation of Object.values(item)) {
      assert.ok(operation.summary, path)
      for (const [status, response] of Object.entries(operation.responses))
        if (Number(status) >= 400 && !isHealth(path))
          assert.deepEqual(Object.keys(response.content ?? {}), ['application/problem+json'])
    }
})

test('parameters, bodies and headers are in it', () => {
  const text = (path: string, method: string) => JSON.stringify(document.paths[path]?.[method])
  assert.match(text('/api/v1/projects', 'post'), /"requestBody":\{"required":true.*CreateProject/)
  assert.match(
    text('/api/v1/projects', 'post'),
    /"name":"Idempotency-Key","in":"header"|"in":"header","name":"Idempotency-Key"/,
  )
  for (const name of ['status', 'pipeline', 'q', 'limit', 'cursor'])
    assert.ok(text('/api/v1/projects', 'get').includes(`"name":"${name}"`), name)
  assert.equal(document.components.schemas.CreateProject?.additionalProperties, false)
})

const P = '/api/v1/projects'
const good = { pipeline: 'hello', input: { text: 'hi' } }
const post: RequestInit = { method: 'POST' }
const fails = (code: 'disk' | 'missing_program') => (deps: Fake) => {
  const fail = async () => Promise.reject(new AppError(code, 'It fails'))
  Object.assign(deps.commands, { create: fail, start: fail, resume: fail, cancel: fail, rerun: fail, remove: fail })
}
const locked = (deps: Fake) =>
  Object.assign(deps, { auth: { operatorToken: 'x', users: [], oneTime: createOneTimeLogins() } })
const broken = (deps: Fake) => {
  const fail = () => {
    throw new Error('broken')
  }
  Object.assign(deps, { status: fail, ready: fail, pipelines: fail })
  Object.assign(deps.projects, { read: fail, list: fail, artifact: fail })
}
const foreign: RequestInit = { headers: { host: 'evil.example' } }

/** At least one real answer for each status of each operation; a test below finds what is missing. */
const ANSWERS: Answered[] = [
  { call: 'get /', path: '/', status: 200 },
  { call: 'get /', path: '/', init: foreign, status: 403 },
  { call: 'get /status', path: '/status', status: 200 },
  { call: 'get /status', path: '/status', status: 200, change: locked },
  {
    call: 'get /status',
    path: '/status',
    status: 503,
    change: (d) => Object.assign(d, { status: async () => statusData('unhealthy') }),
  },
  { call: 'get /status', path: '/status', status: 500, change: broken },
  { call: 'get /livez', path: '/livez', status: 200 },
  { call: 'get /readyz', path: '/readyz', status: 200 },
  {
    call: 'get /readyz',
    path: '/readyz',
    status: 503,
    change: (d) => Object.assign(d, { ready: async () => ({ ok: false, checks: [] }) }),
  },
  { call: 'get /readyz', path: '/readyz', status: 500, change: broken },
  { call: 'get /login', path: '/login?token=wrong', status: 401 },
  { call: 'get /login', path: '/login', status: 422 },
  {
    call: 'get /login',
    path: `/login?token=good`,
    status: 303,
    change: (d) => Object.assign(d.auth, { oneTime: { take: () => 'x' } }),
  },
  { call: 'get /login', path: '/login?token=x', init: { method: 'HEAD' }, status: 405 },
  { call: 'get /openapi.json', path: '/openapi.json', status: 200 },
  { call: 'get /openapi.json', path: '/openapi.json', status: 401, change: locked },
  { call: 'get /api/v1/pipelines', path: '/api/v1/pipelines', status: 200 },
  { call: 'get /api/v1/pipelines', path: '/api/v1/pipelines', status: 401, change: locked },
  { call: 'get /api/v1/pipelines', path: '/api/v1/pipelines', status: 500, change: broken },
  { call: `post ${P}`, path: P, init: jsonRequest(good), status: 201 },
  { call: `post ${P}`, path: P, init: jsonRequest(good, { 'idempotency-key': 'k' }), status: 201 },
  { call: `post ${P}`, path: P, init: { ...jsonRequest(good), body: '{' }, status: 400 },
  { call: `post ${P}`, path: P, init: jsonRequest(good), status: 401, change: locked },
  { call: `post ${P}`, path: P, init: jsonRequest({ ...good, pipeline: 'none' }), status: 404 },
  { call: `post ${P}`, path: P, init: jsonRequest({ ...good, more: 1 }), status: 422 },
  { call: `post ${P}`, path: P, init: jsonRequest(good), status: 503, change: fails('missing_program') },
  { call: `post ${P}`, path: P, init: jsonRequest(good), status: 507, change: fails('disk') },
  { call: `post ${P}`, path: P, init: jsonRequest('x'.repeat(5_000_000)), status: 413 },
  { call: `post ${P}`, path: P, init: { method: 'POST', body: 'x' }, status: 415 },
  { call: `get ${P}`, path: P, status: 200 },
  { call: `get ${P}`, path: `${P}?limit=x`, status: 422 },
  { call: `get ${P}`, path: P, status: 401, change: locked },
  { call: `get ${P}`, path: P, status: 500, change: broken },
  { call: `get ${P}/{id}`, path: `${P}/p1`, status: 200 },
  { call: `get ${P}/{id}`, path: `${P}/none`, status: 404 },
  { call: `get ${P}/{id}`, path: `${P}/p1`, status: 401, change: locked },
  { call: `get ${P}/{id}`, path: `${P}/p1`, status: 500, change: broken },
  { call: `delete ${P}/{id}`, path: `${P}/p1`, init: { method: 'DELETE' }, status: 204 },
  { call: `delete ${P}/{id}`, path: `${P}/busy`, init: { method: 'DELETE' }, status: 409 },
  { call: `delete ${P}/{id}`, path: `${P}/none`, init: { method: 'DELETE' }, status: 404 },
  { call: `delete ${P}/{id}`, path: `${P}/p1`, init: { method: 'DELETE' }, status: 507, change: fails('disk') },
  ...['start', 'resume', 'cancel'].flatMap((verb): Answered[] => [
    { call: `post ${P}/{id}/${verb}`, path: `${P}/busy/${verb}`, init: post, status: 202 },
    { call: `post ${P}/{id}/${verb}`, path: `${P}/none/${verb}`, init: post, status: 404 },
    { call: `post ${P}/{id}/${verb}`, path: `${P}/p1/${verb}`, init: post, status: 507, change: fails('disk') },
  ]),
  { call: `post ${P}/{id}/resume`, path: `${P}/p1/resume`, init: post, status: 409 },
  { call: `post ${P}/{id}/stages/{stage}/rerun`, path: `${P}/p1/stages/shout/rerun`, init: post, status: 202 },
  { call: `post ${P}/{id}/stages/{stage}/rerun`, path: `${P}/p1/stages/none/rerun`, init: post, status: 404 },
  {
    call: `post ${P}/{id}/stages/{stage}/rerun`,
    path: `${P}/p1/stages/shout/rerun`,
    init: jsonRequest({ and_following: 1 }),
    status: 422,
  },
  { call: `get ${P}/{id}/artifacts/{name}`, path: `${P}/p1/artifacts/a.txt`, status: 200 },
  { call: `get ${P}/{id}/artifacts/{name}`, path: `${P}/p1/artifacts/none`, status: 404 },
  { call: `get ${P}/{id}/artifacts/{name}`, path: `${P}/p1/artifacts/gone`, status: 410 },
  {
    call: `get ${P}/{id}/artifacts/{name}`,
    path: `${P}/p1/artifacts/a.txt`,
    init: { headers: { range: 'bytes=0-1' } },
    status: 206,
  },
  {
    call: `get ${P}/{id}/artifacts/{name}`,
    path: `${P}/p1/artifacts/a.txt`,
    init: { headers: { range: 'bytes=9-' } },
    status: 416,
  },
  {
    call: `get ${P}/{id}/artifacts/{name}`,
    path: `${P}/p1/artifacts/a.txt`,
    init: { headers: { 'if-none-match': '*' } },
    status: 304,
  },
]

for (const { call, path, init, status, change } of [...ANSWERS, ...LIVE, ...OPERATOR])
  test(`${call} → ${status} is as documented (${path})`, async () => {
    using deps = fakeDeps()
    fill(deps)
    change?.(deps)
    const answer = await fakeApp(deps).request(path, init)
    const text = await answer.text()
    assert.equal(answer.status, status, text)
    const [method = '', template = ''] = call.split(' ')
    const described = document.paths[template]?.[method]?.responses[String(status)]
    assert.ok(described, 'this status is not in the document')
    for (const [name, header] of Object.entries(described.headers ?? {}))
      if (header.required) assert.ok(answer.headers.has(name), `no ${name}`)
    const type = answer.headers.get('content-type')?.split(';')[0]?.toLowerCase()
    if (!described.content) return assert.equal(text, '')
    const content = described.content[type ?? ''] ?? described.content['*/*']
    assert.ok(content, `${type} is not documented`)
    if (type?.endsWith('json') && init?.method !== 'HEAD')
      assert.deepEqual(violations(JSON.parse(text), content.schema, document.components.schemas), [])
  })

test('every operation has a real answer above for its success', () => {
  const answered = new Set(
    [...ANSWERS, ...LIVE, ...OPERATOR].map(({ call, status }) => `${call} ${status}`).concat([...ELSEWHERE]),
  )
  const missing = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      Object.keys(operation.responses)
        .filter((status) => Number(status) < 400)
        .map((status) => `${method} ${path} ${status}`)
        .filter((name) => !answered.has(name)),
    ),
  )
  assert.deepEqual(missing, [])
})

test('the checker itself finds what is wrong', () => {
  const schema = { $ref: '#/components/schemas/Project' }
  const check = (value: unknown) => violations(value, schema, document.components.schemas)
  assert.ok(check({}).some((found) => found.includes('no stages')))
  assert.ok(check({ ...projectState(), extra: 1 }).some((found) => found.includes('undocumented extra')))
  assert.ok(check({ ...projectState(), status: 'done' }).some((found) => found.includes('is not in')))
  assert.ok(check({ ...projectState(), progress: 101 }).some((found) => found.includes('too large')))
  assert.ok(check({ ...projectState(), created_at: 5 }).some((found) => found.includes('number is not string')))
})

function fill(deps: Fake): void {
  const path = join(deps.folder, 'a.txt')
  writeFileSync(path, 'abc')
  const artifact = { name: 'a.txt', stage: 'shout', mime: 'text/plain', bytes: 3, sha256: 'abc', file: 'a.txt' }
  deps.states
    .set('p1', projectState({ artifacts: [artifact] }))
    .set('busy', projectState({ id: 'busy', status: 'running' }))
  deps.tasks.set('p1/p1-2', taskView())
  deps.hub.say('p1', { type: 'project_update', status: 'completed', progress: 100 })
  deps.files.set('p1/a.txt', { path, artifact }).set('p1/gone', { path: `${path}.gone`, artifact })
}

function isHealth(path: string): boolean {
  return path === '/status' || path === '/readyz'
}
