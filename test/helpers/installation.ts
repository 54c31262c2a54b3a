/** One data folder and the programs started on it; at the end of its test it is stopped and examined. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { StatusBody } from '../../src/api/schemas/status.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { CHILD_ENVIRONMENT } from '../../src/lib/child-environment.ts'
import { sha256 } from '../../src/lib/ids.ts'
import { type DataLayout, dataLayout } from '../../src/project/layout.ts'
import { processesWith, type RunningProcess, untilGone } from './processes.ts'
import { launchProgram, type Program, type Via } from './program.ts'
import { assertSound } from './soundness.ts'
import { isBusy } from './stopwatch.ts'

export type StartOptions = { via?: Via; args?: string[]; env?: Record<string, string>; columns?: number }

/** A program that serves. */
export type Instance = Program & { url: string; api: Client; supervisorPid: number }

export type Installation = {
  dataDir: string
  layout: DataLayout
  /** Starts the program and waits until it serves. */
  start(options?: StartOptions): Promise<Instance>
  /** Starts the program without waiting. */
  launch(options?: StartOptions): Program
  /** What runs of this data folder, its supervisor left out. */
  processes(): Promise<RunningProcess[]>
}

export type InstallationOptions = {
  env?: Record<string, string>
  /** The test tears records on purpose; else none may be unreadable at its end. */
  mayTear?: boolean
  /** A temp folder when not given. */
  dataDir?: string
  /** Called at the very end, also when the test failed: later hooks of the test would not run then. */
  cleanUp?: () => void
}

const FIXTURES = fileURLToPath(new URL('../fixtures/pipelines', import.meta.url))

export async function createInstallation(
  t: TestContext,
  { env = {}, dataDir, cleanUp, mayTear = false }: InstallationOptions = {},
): Promise<Installation> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'showrunner-data-')))
  const layout = dataLayout(folder)
  const programs: Program[] = []
  const served: Served[] = []
  const launch = ({ env: more, ...options }: StartOptions = {}) => {
    const program = launchProgram({ ...options, env: { ...baseEnv(folder), ...env, ...more } })
    programs.push(program)
    return program
  }
  const processes = async () => processesWith(CHILD_ENVIRONMENT.dataId, await dataIdOf(layout))
  t.after(async () => {
    try {
      await finish(t, { programs, layout, processes, served, mayTear })
    } finally {
      await killAll(programs, await processes())
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      cleanUp?.()
    }
  })
  return {
    dataDir: folder,
    layout,
    launch,
    processes,
    async start(options) {
      const program = launch(options)
      const { url } = await program.ready()
      const { pid } = JSON.parse(await readFile(layout.run, 'utf8')) as { pid: number }
      served.push({ url, pid })
      return Object.assign(program, { url, api: createClient({ url }), supervisorPid: pid })
    },
  }
}

/** Nothing of the tests' own environment: settings and npm's variables would change what is tested. */
function baseEnv(dataDir: string): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return {
    PATH,
    HOME,
    DATA_DIR: dataDir,
    PORT: '0',
    REDIS: 'spawn',
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'debug',
    PIPELINES_DIR: FIXTURES,
  }
}

/** As launch/data-folder.ts makes it; a folder that was never opened has none. */
async function dataIdOf(layout: DataLayout): Promise<string> {
  const own = await readFile(layout.identity, 'utf8').catch(() => '')
  return own === '' ? 'none' : sha256(`${own.trim()} ${layout.root}`).slice(0, 12)
}

type Served = { url: string; pid: number }
type Ending = Pick<Installation, 'layout' | 'processes'> & { programs: Program[]; served: Served[]; mayTear: boolean }

async function finish(t: TestContext, { programs, layout, processes, served, mayTear }: Ending): Promise<void> {
  // Not in the types yet.
  if (!(t as { passed?: boolean }).passed)
    return t.diagnostic(programs.map((p) => p.output().slice(-6_000)).join('\n--- next start ---\n'))
  for (const program of programs) await stopImpatiently(program)
  await untilGone((await processes()).map(({ pid }) => pid))
  assert.deepEqual(await processes(), [], 'processes are left')
  const isHasty = programs.at(-1)?.exited()?.code !== 0
  await assertSound(layout, { mayTear, isCut: isHasty && isBusy() })
  for (const { url, pid } of served) assert.notEqual(await serverOf(url), pid, `it still serves ${url}`)
}

/** The pid of the program that serves there. The port may be somebody else's by now: files run side by side. */
async function serverOf(url: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`${url}/status`, { signal: AbortSignal.timeout(2_000) })
    return ((await answer.json()) as StatusBody).data.pid
  } catch {
    return undefined // nobody, or none of ours
  }
}

/** Asks, and asks again: what a test left running gives its work back within two seconds. */
async function stopImpatiently(program: Program): Promise<void> {
  if (program.exited() !== null) return // the test has seen to it
  program.signal('SIGTERM')
  const patient = await program.ended(1_200).catch(() => null) // still draining
  if (patient === null) program.signal('SIGTERM')
  const exit = await program.ended(30_000)
  assert.ok(exit.code === 0 || exit.code === 143, `it was stopped, and ended with ${JSON.stringify(exit)}`)
}

async function killAll(programs: Program[], left: RunningProcess[]): Promise<void> {
  for (const program of programs) program.signal('SIGKILL')
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  await untilGone(left.map(({ pid }) => pid)).catch(() => {}) // the test's own failure is the one to report
}
