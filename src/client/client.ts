/** The API as functions with the types of its own schemas; used by the CLI, the dashboard and tests. */
import type { Explanation, ExplanationBody } from '../api/schemas/explanation.ts'
import type { PipelineView } from '../api/schemas/pipeline.ts'
import type { CommandBody, CreateProject, ListQuery, Project, ProjectList, Rerun } from '../api/schemas/project.ts'
import type { Live, Ready, StatusBody } from '../api/schemas/status.ts'
import type { ExecuteStage, StageTask, TaskStatus } from '../api/schemas/task.ts'
import type { RestartAnswer, Scale, ScaleAnswer, WorkerList } from '../api/schemas/workers.ts'
import { type CallOptions, type ClientSettings, callApi, callJson } from './call.ts'
import { type EventsOptions, followEvents, followProgress, followText, type TextOptions } from './live.ts'
import { createLogCalls } from './logs.ts'
import { pathOf, WORKERS } from './paths.ts'
import { type WaitOptions, waitForEnd } from './wait.ts'

export type Client = ReturnType<typeof createClient>

export function createClient(settings: ClientSettings) {
  const projects = createProjectCalls(settings)
  return {
    /** Also answers while the system is unhealthy (`success: false`). */
    status: (options: CallOptions = {}) => callJson<StatusBody>(settings, '/status', { ...options, accept: [503] }),
    livez: (options?: CallOptions) => callJson<Live>(settings, '/livez', options),
    readyz: (options: CallOptions = {}) => callJson<Ready>(settings, '/readyz', { ...options, accept: [503] }),
    pipelines: (options?: CallOptions) => callJson<{ items: PipelineView[] }>(settings, '/api/v1/pipelines', options),
    projects,
    /** Why a process is as it is, or was at a moment: `14:02`, or a time with its date. */
    explain: async (process: string, { at, signal }: CallOptions & { at?: string } = {}): Promise<Explanation> =>
      (await callJson<ExplanationBody>(settings, '/status', { query: { explain: process, at }, signal })).data,
    logs: createLogCalls(settings),
    workers: createWorkerCalls(settings),
    /** Resolves with the state once the project is completed, failed or cancelled. */
    waitFor: (id: string, options?: WaitOptions) => {
      const read = (signal?: AbortSignal) => projects.get(id, { signal })
      return waitForEnd({ read, watch: (signal) => followEvents(settings, id, { signal }) }, options)
    },
    ...createLiveCalls(settings),
  }
}

/** Of the operator. */
function createWorkerCalls(settings: ClientSettings) {
  const post = <T>(path: string, body: object, options?: CallOptions) =>
    callJson<T>(settings, `${WORKERS}/${path}`, { ...options, method: 'POST', body })
  return {
    list: (options?: CallOptions) => callJson<WorkerList>(settings, WORKERS, options),
    restart: (name: string, options?: CallOptions) =>
      post<RestartAnswer>(`${encodeURIComponent(name)}/restart`, {}, options),
    scale: (wish: Scale, options?: CallOptions) => post<ScaleAnswer>('scale', wish, options),
  }
}

/** Each ends with the project; each connects again by itself and goes on where it was. */
function createLiveCalls(settings: ClientSettings) {
  return {
    events: (id: string, options?: EventsOptions) => followEvents(settings, id, options),
    text: (id: string, stage: string, options?: TextOptions) => followText(settings, { id, stage }, options),
    subscribeProgress: (id: string, options?: EventsOptions) => followProgress(settings, id, options),
    executeStage: (id: string, request: Omit<ExecuteStage, 'use_streaming'>, options?: CallOptions) =>
      callJson<StageTask>(settings, pathOf(id, 'execute-stage'), { ...options, method: 'POST', body: request }),
    taskStatus: (id: string, taskId: string, options?: CallOptions) =>
      callJson<TaskStatus>(settings, pathOf(id, 'task-status'), { ...options, query: { task_id: taskId } }),
  }
}

export type CreateOptions = CallOptions & { idempotencyKey?: string }

/** `range` as in the Range header, e.g. `bytes=0-99`. */
export type ArtifactOptions = CallOptions & { range?: string }

export type ArtifactAnswer = {
  stream: ReadableStream<Uint8Array>
  status: number
  mime: string
  /** Of this answer: with a range, of the part. */
  bytes: number
  etag: string | null
}

function createProjectCalls(settings: ClientSettings) {
  const command = (path: string, body: unknown, options?: CallOptions) =>
    callJson<CommandBody>(settings, path, { ...options, method: 'POST', body })
  return {
    create(project: CreateProject, { idempotencyKey, signal }: CreateOptions = {}) {
      const headers: Record<string, string> = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }
      return callJson<CommandBody>(settings, pathOf(), { method: 'POST', body: project, headers, signal })
    },
    list: (query: ListQuery = {}, options?: CallOptions) =>
      callJson<ProjectList>(settings, pathOf(), { ...options, query }),
    get: (id: string, options?: CallOptions) => callJson<Project>(settings, pathOf(id), options),
    async remove(id: string, options?: CallOptions): Promise<void> {
      await callApi(settings, pathOf(id), { ...options, method: 'DELETE' })
    },
    start: (id: string, options?: CallOptions) => command(pathOf(id, 'start'), {}, options),
    resume: (id: string, options?: CallOptions) => command(pathOf(id, 'resume'), {}, options),
    cancel: (id: string, options?: CallOptions) => command(pathOf(id, 'cancel'), {}, options),
    rerun: (id: string, stage: string, { and_following, signal }: Rerun & CallOptions = {}) =>
      command(pathOf(id, 'stages', stage, 'rerun'), { and_following }, { signal }),
    artifact: (id: string, name: string, options?: ArtifactOptions) =>
      openArtifact(settings, pathOf(id, 'artifacts', name), options),
  }
}

async function openArtifact(
  settings: ClientSettings,
  path: string,
  options: ArtifactOptions = {},
): Promise<ArtifactAnswer> {
  const { range, signal } = options
  const response = await callApi(settings, path, { signal, headers: range === undefined ? {} : { Range: range } })
  return {
    stream: response.body ?? new Blob([]).stream(),
    status: response.status,
    mime: response.headers.get('content-type') ?? 'application/octet-stream',
    bytes: Number(response.headers.get('content-length') ?? 0),
    etag: response.headers.get('etag'),
  }
}
