/** Real answers of the live routes and of tasks, for each status that the document should have. */
import { type Fake, jsonRequest } from './deps.ts'

export type Answered = { call: string; path: string; init?: RequestInit; status: number; change?: (deps: Fake) => void }

const P = '/api/v1/projects'
const post: RequestInit = { method: 'POST' }

export const LIVE: Answered[] = [
  { call: 'post /api/v1/ws-tickets', path: '/api/v1/ws-tickets', init: post, status: 201 },
  {
    call: `get ${P}/{id}/events`,
    path: `${P}/p1/events`,
    status: 200,
    init: { headers: { accept: 'application/json' } },
  },
  { call: `get ${P}/{id}/events`, path: `${P}/p1/events`, init: { method: 'HEAD' }, status: 200 },
  { call: `get ${P}/{id}/events`, path: `${P}/p1/events?since=e1-1`, status: 204 },
  { call: `get ${P}/{id}/events`, path: `${P}/p1/events?wait=99`, status: 422 },
  {
    call: `get ${P}/{id}/events`,
    path: `${P}/p1/events`,
    status: 503,
    change: (d) => Object.assign(d, { maxSockets: 0 }),
  },
  { call: 'get /ws/projects/{id}', path: '/ws/projects/p1/', status: 426 },
  { call: 'get /ws/projects/{id}/stage/{stage}', path: '/ws/projects/p1/stage/none', status: 404 },
  {
    call: `post ${P}/{id}/execute-stage`,
    path: `${P}/p1/execute-stage/`,
    init: jsonRequest({ stage_name: 'shout', input_data: {} }),
    status: 202,
  },
  {
    call: `post ${P}/{id}/execute-stage`,
    path: `${P}/p1/execute-stage/`,
    init: jsonRequest({ stage_name: 'none', input_data: {} }),
    status: 404,
  },
  { call: `get ${P}/{id}/task-status`, path: `${P}/p1/task-status/?task_id=p1-2`, status: 200 },
  { call: `get ${P}/{id}/task-status`, path: `${P}/p1/task-status/?task_id=none`, status: 404 },
]

/** Proved on real sockets and streams in sockets.test.ts and events.test.ts. */
export const ELSEWHERE = new Set([
  'get /ws/projects/{id} 101',
  'get /ws/projects/{id}/stage/{stage} 101',
  `post ${P}/{id}/execute-stage 200`,
])
