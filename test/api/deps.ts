/** Dependencies of the API in memory: real rules of state, no disk but for artifacts and keys, so that tests are fast. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/api/app.ts'
import { createOneTimeLogins } from '../../src/api/auth.ts'
import type { ApiDeps } from '../../src/api/deps.ts'
import type { StatusData } from '../../src/api/schemas/status.ts'
import { AppError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { ACTIVE, type ArtifactState, type ProjectState, type StageState, summaryOf } from '../../src/project/project.ts'
import type { Commands, CreateRequest } from '../../src/queue/commands.ts'
import type { ProjectReader, TaskView } from '../../src/queue/reader.ts'
import { createFakeHub, type FakeHub } from './fake-hub.ts'
import { createFakeLogs, fakeExplain } from './fake-records.ts'
import { createFakeWorkforce } from './fake-workforce.ts'

export type Fake = ApiDeps & {
  hub: FakeHub
  tasks: Map<string, TaskView>
  states: Map<string, ProjectState>
  files: Map<string, { path: string; artifact: ArtifactState }>
  folder: string
  [Symbol.dispose](): void
}

/** Call with `using`, so that its folder goes when the test ends. */
export function fakeDeps({ hub = createFakeHub(), ...changes }: Partial<ApiDeps> & { hub?: FakeHub } = {}): Fake {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-api-'))
  const states = new Map<string, ProjectState>()
  const files: Fake['files'] = new Map()
  const tasks: Fake['tasks'] = new Map()
  return {
    version: '0.0.0-test',
    startedMs: performance.now(),
    log: silentLog,
    auth: { operatorToken: null, users: [], oneTime: createOneTimeLogins() },
    allowedHosts: [],
    paths: { idempotency: join(folder, 'idempotency') },
    commands: fakeCommands(states, tasks),
    projects: fakeReader({ states, files, tasks }),
    maxSockets: 100,
    pipelines: async () => [
      {
        name: 'hello',
        description: 'Shouts',
        stages: [{ name: 'shout', queue: 'llm' }],
        input_schema: { type: 'object', properties: { text: { type: 'string' } } },
        examples: [{ text: 'hi' }],
      },
    ],
    status: async () => statusData('healthy'),
    workforce: createFakeWorkforce(),
    metrics: async () => ({
      text: '# HELP showrunner_redis_up Up\n# TYPE showrunner_redis_up gauge\nshowrunner_redis_up 1\n',
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    }),
    ready: async () => ({ ok: true, checks: [{ name: 'redis', ok: true, message: 'at /secret/path' }] }),
    explain: fakeExplain,
    logs: createFakeLogs(),
    ...changes,
    hub,
    tasks,
    states,
    files,
    folder,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export function fakeApp(deps: ApiDeps) {
  return createApp(deps)
}

export function jsonRequest(body: unknown, headers: Record<string, string> = {}, method = 'POST'): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
}

export function statusData(status: StatusData['status']): StatusData {
  return {
    status,
    message: 'detail about /secret/path',
    version: '0.0.0-test',
    pid: 4711,
    uptime_s: 12,
    services: {
      redis: { running: true, process: true, mode: 'spawned', pid: 4712, latency_ms: 0.3 },
      worker: { process: true, alive: true, workers: [workerView()] },
      scheduler: { process: true, alive: true, pid: 4714, restarts: 0 },
      beat: { process: true, alive: true },
    },
    queues: { llm: { waiting: 0, active: 1, failed: 0 } },
    projects: { running: 1, interrupted: 0, failed: 0 },
  }
}

function workerView() {
  const active = [{ project_id: 'p1', stage: 'shout', since: '2026-01-01T00:00:00.000Z' }]
  const facts = { rss_bytes: 1, cpu_percent: 0.1, uptime_s: 11, active, last_exit: null, blocked: null }
  return { name: 'io-1', group: 'io', pid: 4713, alive: true, ready: true, restarts: 0, ...facts }
}

export function projectState(changes: Partial<ProjectState> = {}): ProjectState {
  const time = '2026-01-01T00:00:00.000Z'
  return {
    version: 1,
    id: 'p1',
    pipeline: 'hello',
    title: 'Hello',
    owner: 'operator',
    batch_id: null,
    status: 'completed',
    reason: null,
    progress: 100,
    created_at: time,
    updated_at: time,
    revision: 7,
    input: { text: 'hi' },
    input_file: null,
    error: null,
    stages: [stageState()],
    artifacts: [],
    ...changes,
  }
}

function stageState(): StageState {
  const time = '2026-01-01T00:00:00.000Z'
  return {
    name: 'shout',
    queue: 'llm',
    status: 'completed',
    reason: null,
    stale: false,
    progress: 100,
    message: null,
    attempts: 1,
    retries: 0,
    retry_at: null,
    waits: 0,
    wait_until: null,
    own_input: null,
    calls: 0,
    task_id: 'p1-1',
    started_at: time,
    finished_at: time,
    duration_ms: 812,
    last_progress_at: time,
    steps: [{ name: 'count', status: 'completed', key: 'k', result: { value: 42 }, files: [] }],
    result: { text: 'HI' },
    result_artifact: null,
    text: null,
    text_artifact: null,
    error: null,
    provider: 'builtin',
    model: null,
    degraded: [],
    usage: { input_tokens: 0, output_tokens: 0, cost_usd: null },
  }
}

function fakeCommands(states: Fake['states'], tasks: Fake['tasks']): Commands {
  const get = (id: string) => {
    const state = states.get(id)
    if (!state) throw new AppError('not_found', `There is no project ${id}`)
    return state
  }
  const move = (id: string, status: ProjectState['status']) => {
    const state = { ...get(id), status }
    states.set(id, state)
    return { state, dispatch: 'queued' as const }
  }
  const notEnded = (id: string) => {
    if (get(id).status === 'completed') throw new AppError('wrong_state', 'The project is completed')
    return id
  }
  return {
    create: async (request) => createIn(states, request),
    start: async (id) => move(id, 'queued'),
    resume: async (id) => move(notEnded(id), 'queued'),
    cancel: async (id) => move(notEnded(id), 'cancelled'),
    async rerun(id, stage) {
      if (!get(id).stages.some((s) => s.name === stage)) throw new AppError('not_found', `There is no stage ${stage}`)
      return move(id, 'queued')
    },
    async executeStage(id, { stage }) {
      if (!get(id).stages.some((s) => s.name === stage)) throw new AppError('not_found', `There is no stage ${stage}`)
      if (ACTIVE.has(get(id).status)) throw new AppError('wrong_state', 'The project is at work')
      const taskId = `${id}-${tasks.size + 2}`
      tasks.set(`${id}/${taskId}`, taskView({ project_id: id, task_id: taskId, stage }))
      return { ...move(id, 'queued'), taskId }
    },
    async remove(id) {
      if (ACTIVE.has(get(id).status)) throw new AppError('wrong_state', 'The project is at work')
      states.delete(id)
    },
  }
}

function createIn(states: Map<string, ProjectState>, { id, pipeline, input, title, autostart, owner }: CreateRequest) {
  if (pipeline !== 'hello') throw new AppError('not_found', `There is no pipeline ${pipeline}`)
  if (typeof (input as { text?: unknown }).text !== 'string') {
    const errors = [{ pointer: '/input/text', detail: 'expected string' }]
    throw new AppError('invalid_value', 'input.text: expected string', { details: { errors } })
  }
  if (states.has(id)) throw new AppError('conflict', `${id} exists`)
  const status = autostart ? ('queued' as const) : ('pending' as const)
  const state = projectState({
    stages: [{ ...stageState(), status: 'pending', progress: 0 }],
    id,
    pipeline,
    input,
    owner,
    status,
    progress: 0,
    title: title ?? 'Untitled',
  })
  states.set(id, state)
  return { state, dispatch: 'queued' as const }
}

export function taskView(changes: Partial<TaskView> = {}): TaskView {
  const info = { progress: 0, message: null, error: null, retries: 0 }
  return { task_id: 'p1-2', project_id: 'p1', stage: 'shout', state: 'PENDING', result: null, info, ...changes }
}

function fakeReader({ states, files, tasks }: Pick<Fake, 'states' | 'files' | 'tasks'>): ProjectReader {
  return {
    task: async (id, taskId) => tasks.get(`${id}/${taskId}`),
    texts: async () => ({ shout: 'HI' }),
    revisions: async () => ({}),
    read: async (id) => states.get(id),
    async list({ status, owner, limit, q }) {
      const all = [...states.values()].reverse().filter((s) => owner === undefined || s.owner === owner)
      const found = all.filter((s) => (!status || s.status === status) && (!q || s.title.includes(q)))
      return { items: found.slice(0, limit).map(summaryOf), next_cursor: found.length > limit ? 'more' : null }
    },
    artifact: async (id, name) => files.get(`${id}/${name}`),
  }
}
