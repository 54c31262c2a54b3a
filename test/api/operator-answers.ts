/** Real answers of the routes that are the operator's, for each status that the document should have. */
import { createOneTimeLogins } from '../../src/api/auth.ts'
import { type Fake, jsonRequest } from './deps.ts'
import type { Answered } from './live-answers.ts'

const W = '/api/v1/workers'
const L = '/api/v1/logs'
const restart = `post ${W}/{name}/restart`
const scale = `post ${W}/scale`
const post: RequestInit = { method: 'POST' }
const two = jsonRequest({ group: 'io', processes: 2 })
const annHeader = { authorization: 'Bearer ann-secret' }
const ann: RequestInit = { headers: annHeader }

/** Ann is a user, and no operator. */
function shared(deps: Fake): void {
  const users = [{ name: 'ann', token: 'ann-secret' }]
  Object.assign(deps, { auth: { operatorToken: 'x', users, oneTime: createOneTimeLogins() } })
}

export const OPERATOR: Answered[] = [
  { call: `get ${W}`, path: W, status: 200 },
  { call: `get ${W}`, path: W, status: 401, change: shared },
  { call: `get ${W}`, path: W, init: ann, status: 403, change: shared },
  { call: restart, path: `${W}/io-1/restart`, init: post, status: 202 },
  { call: restart, path: `${W}/io-1/restart`, init: post, status: 401, change: shared },
  { call: restart, path: `${W}/io-1/restart`, init: { ...ann, ...post }, status: 403, change: shared },
  { call: restart, path: `${W}/io-9/restart`, init: post, status: 404 },
  { call: restart, path: `${W}/%2e%2e/restart`, init: post, status: 404 },
  { call: restart, path: `${W}/redis/restart`, init: post, status: 409 },
  { call: restart, path: `${W}/io-1/restart`, init: { ...post, body: 'x' }, status: 415 },
  { call: scale, path: `${W}/scale`, init: two, status: 202 },
  { call: scale, path: `${W}/scale`, init: { ...two, body: '{' }, status: 400 },
  { call: scale, path: `${W}/scale`, init: two, status: 401, change: shared },
  {
    call: scale,
    path: `${W}/scale`,
    init: jsonRequest('no', annHeader),
    status: 403,
    change: shared,
  },
  { call: scale, path: `${W}/scale`, init: jsonRequest({ group: 'none', processes: 2 }), status: 404 },
  { call: scale, path: `${W}/scale`, init: jsonRequest({ group: 'busy', processes: 2 }), status: 409 },
  { call: scale, path: `${W}/scale`, init: jsonRequest('x'.repeat(5_000_000)), status: 413 },
  ...[0, 33, 1.5, '2', null].map((processes): Answered => {
    return { call: scale, path: `${W}/scale`, init: jsonRequest({ group: 'io', processes }), status: 422 }
  }),
  { call: scale, path: `${W}/scale`, init: jsonRequest({ group: 'io', processes: 2, more: 1 }), status: 422 },
  { call: 'get /status', path: '/status?explain=io-1', status: 200 },
  { call: 'get /status', path: '/status?explain=io-1&at=14:02', status: 200 },
  { call: 'get /status', path: '/status?explain=io-1', status: 401, change: shared },
  { call: 'get /status', path: '/status?explain=io-1', init: ann, status: 403, change: shared },
  { call: 'get /status', path: '/status?explain=nobody', status: 404 },
  { call: 'get /status', path: '/status?explain=../x', status: 422 },
  { call: 'get /status', path: '/status?explain=io-1&at=25:00', status: 422 },
  { call: 'get /api/v1/logs', path: L, status: 200 },
  { call: 'get /api/v1/logs', path: `${L}?process=io-1&since=1&limit=1`, status: 200 },
  { call: 'get /api/v1/logs', path: `${L}?since=2026-01-01T00:00:00Z`, status: 200 },
  { call: 'get /api/v1/logs', path: `${L}?follow=true`, init: { method: 'HEAD' }, status: 200 },
  { call: 'get /api/v1/logs', path: L, status: 401, change: shared },
  { call: 'get /api/v1/logs', path: L, init: ann, status: 403, change: shared },
  { call: 'get /api/v1/logs', path: `${L}?process=nobody`, status: 404 },
  { call: 'get /api/v1/logs', path: `${L}?follow=true&process=nobody`, status: 404 },
  ...['limit=0', 'limit=1001', 'limit=x', 'since=yesterday', 'follow=yes', 'process=..%2fx'].map((query): Answered => {
    return { call: 'get /api/v1/logs', path: `${L}?${query}`, status: 422 }
  }),
  {
    call: 'get /api/v1/logs',
    path: `${L}?follow=true`,
    status: 503,
    change: (d) => Object.assign(d, { maxSockets: 0 }),
  },
  { call: 'get /metrics', path: '/metrics', status: 200 },
  { call: 'get /metrics', path: '/metrics', status: 401, change: shared },
  { call: 'get /metrics', path: '/metrics', init: ann, status: 403, change: shared },
]
