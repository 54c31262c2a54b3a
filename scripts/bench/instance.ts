/** The real program on a free port, as `npm start` runs it, and what can be asked of it. */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Project } from '../../src/api/schemas/project.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { CHILD_ENVIRONMENT } from '../../src/lib/child-environment.ts'
import { AppError } from '../../src/lib/errors.ts'
import { findByEnvironment } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import { findFreePort } from '../../src/redis/port.ts'
import { type Program, ROOT, startProgram } from './program.ts'

export type Instance = {
  readonly pid: number
  readonly url: string
  readonly api: Client
  readonly program: Program
  /** From the start of the process until `/status` said healthy. */
  readonly bootMs: number
  /** Creates a project and waits until it has completed. */
  perform(pipeline: string, input?: unknown): Promise<Project>
  /** All processes of this run: supervisor, workers, scheduler, Redis. */
  pids(): Promise<number[]>
  /** Ctrl+C; gives the milliseconds until the process had exited. */
  stop(): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

export type InstanceOptions = { dataDir: string; env?: Record<string, string>; signal: AbortSignal }

const BOOT_MS = 60_000
const PROJECT_MS = 600_000
/** Seldom enough not to take time from what is measured; stages say themselves when they ran. */
const POLL_MS = 100

export async function startInstance({ dataDir, env, signal }: InstanceOptions): Promise<Instance> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const settings = { PORT: String(port), DATA_DIR: dataDir, REDIS: 'spawn', LOG_FORMAT: 'json' }
  const program = startProgram(process.execPath, startArguments(), { env: { ...settings, ...env }, cwd: dataDir })
  try {
    const api = createClient({ url })
    await until(() => isHealthy(url, signal), { timeoutMs: BOOT_MS, everyMs: 10, signal, what: `${url} to be healthy` })
    const bootMs = performance.now() - program.startedMs
    return { ...{ pid: program.pid, url, api, program, bootMs }, ...actions({ dataDir, signal, program, api }) }
  } catch (error) {
    await program[Symbol.asyncDispose]()
    const said = [...program.lines.slice(-3), program.errors()].join('\n')
    throw new AppError('unavailable', `The program did not become healthy: ${said}`, { cause: error })
  }
}

/** What `npm start` gives to node, with the path made absolute. */
function startArguments(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
  const words = scripts.start.split(' ').slice(2)
  return words.map((word) => (word.endsWith('.ts') ? join(ROOT, word) : word))
}

async function isHealthy(url: string, signal: AbortSignal): Promise<boolean> {
  const answer = await fetch(`${url}/status`, { signal }).catch(() => undefined) // nobody listens yet
  return answer?.ok === true && ((await answer.json()) as { data: { status: string } }).data.status === 'healthy'
}

type Parts = { dataDir: string; signal: AbortSignal; program: Program; api: Client }

function actions({ dataDir, signal, program, api }: Parts) {
  return {
    async perform(pipeline: string, input: unknown = {}) {
      const { id } = await api.projects.create({ pipeline, input })
      const project = await api.waitFor(id, { signal, timeoutMs: PROJECT_MS, everyMs: POLL_MS })
      if (project.status !== 'completed') throw new AppError('stage_failed', `${pipeline}: ${project.error?.message}`)
      return project
    },
    async pids() {
      const { run_id } = await until(() => readRun(dataDir), { timeoutMs: BOOT_MS, signal, what: 'run.json' })
      return [program.pid, ...(await findByEnvironment(CHILD_ENVIRONMENT.runId, run_id))]
    },
    stop: () => program.end('SIGINT'),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** Announced a moment after the API is healthy. */
async function readRun(dataDir: string): Promise<{ run_id: string } | undefined> {
  const text = await readFile(join(dataDir, 'run.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as { run_id: string })
}
