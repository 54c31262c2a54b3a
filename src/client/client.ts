/** The API as functions with the types of its own schemas; used by the CLI, the dashboard and tests. */
import type { PipelineView } from '../api/schemas/pipeline.ts'
import type { CommandBody, CreateProject, ListQuery, Project, ProjectList, Rerun } from '../api/schemas/project.ts'
import type { Live, Ready, StatusBody } from '../api/schemas/status.ts'
import { type CallOptions, type ClientSettings, callApi, callJson } from './call.ts'
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
    /** Resolves with the state once the project is completed, failed or cancelled. */
    waitFor: (id: string, options?: WaitOptions) => waitForEnd((signal) => projects.get(id, { signal }), options),
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

const PATH = '/api/v1/projects'

function createProjectCalls(settings: ClientSettings) {
  const command = (path: string, body: unknown, options?: CallOptions) =>
    callJson<CommandBody>(settings, path, { ...options, method: 'POST', body })
  return {
    create(project: CreateProject, { idempotencyKey, signal }: CreateOptions = {}) {
      const headers: Record<string, string> = idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }
      return callJson<CommandBody>(settings, PATH, { method: 'POST', body: project, headers, signal })
    },
    list: (query: ListQuery = {}, options?: CallOptions) =>
      callJson<ProjectList>(settings, PATH, { ...options, query }),
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

function pathOf(...parts: string[]): string {
  return [PATH, ...parts.map(encodeURIComponent)].join('/')
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
