/** Bad input, as a table: each kind is refused with its status, its code and a pointer, and changes nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_BODY_BYTES } from '../../src/api/app.ts'
import type { Problem } from '../../src/api/schemas/problem.ts'
import { ERRORS } from '../../src/lib/errors.ts'
import { fakeApp, fakeDeps, jsonRequest, projectState } from './deps.ts'

const PROJECTS = '/api/v1/projects'
const good = { pipeline: 'hello', input: { text: 'hi' } }
const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown

type Refusal = {
  name: string
  path: string
  init?: RequestInit
  status: number
  code: Problem['code']
  pointer?: string
}

const typed = (body: string, type: string): RequestInit => ({ method: 'POST', body, headers: { 'content-type': type } })

const REFUSALS: Refusal[] = [
  { name: 'an unknown path', path: '/nothing', status: 404, code: 'not_found' },
  { name: 'a wrong method', path: '/status', init: { method: 'DELETE' }, status: 405, code: 'method_not_allowed' },
  { name: 'OPTIONS', path: PROJECTS, init: { method: 'OPTIONS' }, status: 405, code: 'method_not_allowed' },
  {
    name: 'malformed JSON',
    path: PROJECTS,
    init: typed('{"a":', 'application/json'),
    status: 400,
    code: 'invalid_json',
  },
  {
    name: 'an empty JSON body',
    path: PROJECTS,
    init: typed('', 'application/json'),
    status: 400,
    code: 'invalid_json',
  },
  {
    name: 'a form',
    path: PROJECTS,
    init: typed('a=b', 'application/x-www-form-urlencoded'),
    status: 415,
    code: 'wrong_media_type',
  },
  { name: 'text', path: PROJECTS, init: typed('{}', 'text/plain'), status: 415, code: 'wrong_media_type' },
  {
    name: 'JSON in UTF-16',
    path: PROJECTS,
    init: typed('{}', 'application/json; charset=utf-16'),
    status: 415,
    code: 'wrong_media_type',
  },
  {
    name: 'a compressed body',
    path: PROJECTS,
    init: jsonRequest(good, { 'content-encoding': 'gzip' }),
    status: 415,
    code: 'wrong_media_type',
  },
  {
    name: 'a form on a command',
    path: `${PROJECTS}/p1/start`,
    init: typed('', 'multipart/form-data; boundary=x'),
    status: 415,
    code: 'wrong_media_type',
  },
  {
    name: 'a missing field',
    path: PROJECTS,
    init: jsonRequest({ input: {} }),
    status: 422,
    code: 'invalid_value',
    pointer: '/pipeline',
  },
  { name: 'no body', path: PROJECTS, init: { method: 'POST' }, status: 422, code: 'invalid_value' },
  { name: 'an array', path: PROJECTS, init: jsonRequest([]), status: 422, code: 'invalid_value', pointer: '' },
  {
    name: 'an unknown field',
    path: PROJECTS,
    init: jsonRequest({ ...good, 'a/b~': 1 }),
    status: 422,
    code: 'invalid_value',
    pointer: '/a~1b~0',
  },
  {
    name: 'an empty title',
    path: PROJECTS,
    init: jsonRequest({ ...good, title: ' ' }),
    status: 422,
    code: 'invalid_value',
    pointer: '/title',
  },
  {
    name: 'a deep input',
    path: PROJECTS,
    init: jsonRequest({ ...good, input: nested(70) }),
    status: 422,
    code: 'invalid_value',
    pointer: '/input',
  },
  {
    name: 'an input that the pipeline refuses',
    path: PROJECTS,
    init: jsonRequest({ ...good, input: { text: 1 } }),
    status: 422,
    code: 'invalid_value',
    pointer: '/input/text',
  },
  { name: 'a limit of words', path: `${PROJECTS}?limit=many`, status: 422, code: 'invalid_value', pointer: '/limit' },
  { name: 'a limit of 0', path: `${PROJECTS}?limit=0`, status: 422, code: 'invalid_value', pointer: '/limit' },
  { name: 'a limit of 201', path: `${PROJECTS}?limit=201`, status: 422, code: 'invalid_value', pointer: '/limit' },
  { name: 'two limits', path: `${PROJECTS}?limit=1&limit=2`, status: 422, code: 'invalid_value', pointer: '/limit' },
  {
    name: 'an unknown status',
    path: `${PROJECTS}?status=done`,
    status: 422,
    code: 'invalid_value',
    pointer: '/status',
  },
  {
    name: 'an unknown pipeline',
    path: PROJECTS,
    init: jsonRequest({ ...good, pipeline: 'none' }),
    status: 404,
    code: 'not_found',
  },
  { name: 'an unknown project', path: `${PROJECTS}/none`, status: 404, code: 'not_found' },
  {
    name: 'an unknown stage',
    path: `${PROJECTS}/p1/stages/none/rerun`,
    init: { method: 'POST' },
    status: 404,
    code: 'not_found',
  },
  { name: 'an encoded way up', path: `${PROJECTS}/..%2F..%2Fetc%2Fpasswd`, status: 404, code: 'not_found' },
  { name: 'an encoded dot', path: `${PROJECTS}/%2e%2e%2fp1`, status: 404, code: 'not_found' },
  { name: 'a NUL', path: `${PROJECTS}/p1%00`, status: 404, code: 'not_found' },
  { name: 'broken encoding', path: `${PROJECTS}/%zz`, status: 404, code: 'not_found' },
  { name: 'an id that begins with a dash', path: `${PROJECTS}/-p1`, status: 404, code: 'not_found' },
  { name: 'an id of 65 characters', path: `${PROJECTS}/${'a'.repeat(65)}`, status: 404, code: 'not_found' },
  {
    name: 'an encoded way up as a file',
    path: `${PROJECTS}/p1/artifacts/..%2Fproject_state.json`,
    status: 404,
    code: 'not_found',
  },
  { name: 'a wrong state', path: `${PROJECTS}/p1/resume`, init: { method: 'POST' }, status: 409, code: 'wrong_state' },
  {
    name: 'deleting what is at work',
    path: `${PROJECTS}/p2`,
    init: { method: 'DELETE' },
    status: 409,
    code: 'wrong_state',
  },
  {
    name: 'a body over 4 MB',
    path: PROJECTS,
    init: jsonRequest('x'.repeat(MAX_BODY_BYTES)),
    status: 413,
    code: 'body_too_large',
  },
  {
    name: 'a foreign Host',
    path: '/status',
    init: { headers: { host: 'evil.example' } },
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a foreign Host on an unknown path',
    path: '/nothing',
    init: { headers: { host: 'evil.example' } },
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'a foreign Origin',
    path: PROJECTS,
    init: { headers: { origin: 'http://evil.example' } },
    status: 403,
    code: 'forbidden',
  },
  {
    name: 'an opaque Origin',
    path: PROJECTS,
    init: jsonRequest(good, { origin: 'null' }),
    status: 403,
    code: 'forbidden',
  },
]

for (const { name, path, init, status, code, pointer } of REFUSALS)
  test(`${name} is refused with ${status} ${code}`, async () => {
    using deps = fakeDeps()
    deps.states.set('p1', projectState()).set('p2', projectState({ id: 'p2', status: 'running' }))
    const answer = await fakeApp(deps).request(path, init)
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    const problem = (await answer.json()) as Problem
    assert.equal(problem.code, code)
    assert.equal(problem.status, ERRORS[code].status)
    assert.equal(problem.request_id, answer.headers.get('x-request-id'))
    if (pointer !== undefined)
      assert.deepEqual(
        problem.errors?.map((e) => e.pointer),
        [pointer],
      )
    assert.equal(deps.states.size, 2, 'nothing was made or deleted')
  })
