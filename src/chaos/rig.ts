/** A temporary installation in a folder of its own: what is started on it, what runs of it, and its end. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '../client/client.ts'
import { AppError } from '../lib/errors.ts'
import { findByEnvironment } from '../lib/process-tree.ts'
import { until } from '../lib/until.ts'
import { type DataLayout, dataLayout } from '../project/layout.ts'
import { type AttachedRedis, createAttachedRedis } from './attached-redis.ts'
import { atTheEnd } from './last-rites.ts'
import { killMarkedNow, killQuietly } from './marked.ts'
import { launchProgram, type Program } from './program.ts'
import { cwdOf, environmentOf, filesIn, MARK, type Surroundings } from './surroundings.ts'

/** A program that serves. */
export type Instance = Program & { url: string; api: Client }

export type Rig = {
  readonly folder: string
  readonly layout: DataLayout
  readonly effects: string
  readonly log: string
  /** The one that the program attaches to, when it is ours to take away. */
  readonly redis: AttachedRedis | null
  /** Starts the program without waiting for it. */
  launch(): Program
  /** All that were started, in order; also those that never served. */
  launched(): readonly Program[]
  /** Starts the program and waits until it serves. */
  start(): Promise<Instance>
  /** Waits until what was launched serves. Throws `unavailable` when it ends before, `timeout` when it is late. */
  serving(program: Program): Promise<Instance>
  /** Every living process of it, the program included: found by our mark, not by what it says. */
  pids(): Promise<number[]>
  /** Resolves when no process is left. Throws `timeout`. */
  gone(timeoutMs: number): Promise<void>
  /** SIGKILL to all that is left; resolves when it is gone. */
  kill(): Promise<void>
  /** Kills, and removes the folder unless it is to be looked at. */
  end(options: { keep: boolean }): Promise<void>
}

export type RigOptions = {
  signal: AbortSignal
  ofUser?: boolean
  /** Settings; those that name a file are made from the rig's folder. */
  env?: RigEnv
  /** Where the data folder is to be, when not beside the log. */
  dataDir?: string
  /** A Redis of ours that the program attaches to, in place of one of its own. */
  redis?: 'there' | 'away'
}

export type RigEnv = Record<string, string> | ((folder: string) => Record<string, string>)

const READY_MS = 30_000
const KILL_MS = 5_000

export async function createRig(options: RigOptions): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'showrunner-chaos-')) // and no moment between this and the last rites
  const mark = randomUUID()
  let redis: AttachedRedis | null = null
  const forget = atTheEnd(() => {
    redis?.kill()
    killMarkedNow(MARK, mark)
    rmSync(folder, REMOVAL)
  })
  const end = async ({ keep }: { keep: boolean }) => {
    try {
      await killMarked(mark)
    } finally {
      await redis?.end()
      if (!keep) await rm(folder, REMOVAL)
      forget()
    }
  }
  try {
    if (options.redis) redis = await createAttachedRedis(folder)
    if (options.redis === 'there') await redis?.start()
    return { ...(await openRig(options, { folder, mark, redis })), end }
  } catch (error) {
    await end({ keep: false })
    throw error
  }
}

type RigParts = { folder: string; mark: string; redis: AttachedRedis | null }

async function openRig(options: RigOptions, { folder, mark, redis }: RigParts): Promise<Omit<Rig, 'end'>> {
  const { signal, ofUser = false, env = {} } = options
  const { dataDir: own, effects, log } = filesIn(folder)
  const dataDir = options.dataDir ?? own
  const all = { ...(typeof env === 'function' ? env(folder) : env), ...redis?.env }
  const surroundings: Surroundings = { ofUser, folder, dataDir, mark, effects, env: all }
  await mkdir(dataDir, { recursive: true })
  const programs: Program[] = []
  const launch = () => {
    const program = launchProgram({ env: environmentOf(surroundings), cwd: cwdOf(surroundings), log })
    programs.push(program)
    return program
  }
  const serving = (program: Program) => untilServing(program, signal)
  const pids = () => findByEnvironment(MARK, mark)
  return {
    ...{ folder, effects, log, redis, launch, serving, pids },
    layout: dataLayout(dataDir),
    launched: () => programs,
    start: () => serving(launch()),
    async gone(timeoutMs) {
      const what = 'all processes of the temporary instance to be gone'
      await until(async () => (await pids()).length === 0, { timeoutMs, everyMs: 10, what })
    },
    kill: () => killMarked(mark),
  }
}

async function killMarked(mark: string): Promise<void> {
  const killed = async () => {
    const left = await findByEnvironment(MARK, mark)
    for (const pid of left) killQuietly(pid, 'SIGKILL')
    return left.length === 0
  }
  await until(killed, { timeoutMs: KILL_MS, everyMs: 10, what: 'the temporary instance to be killed' })
}

const REMOVAL = { recursive: true, force: true, maxRetries: 5 } as const

async function untilServing(program: Program, signal: AbortSignal): Promise<Instance> {
  const probe = () => {
    const ready = program.facts.find((fact) => fact.type === 'ready')
    if (ready === undefined && program.exited() !== null)
      throw new AppError('unavailable', `The program ended before it served:\n${program.tail()}`)
    return ready?.url
  }
  const url = await until(probe, { timeoutMs: READY_MS, everyMs: 5, signal, what: 'the program to serve' }).catch(
    (error: unknown) => {
      if (!(error instanceof AppError && error.code === 'timeout')) throw error
      const message = `The program did not serve within ${READY_MS / 1_000} s; the last that it said:\n${program.tail()}`
      throw new AppError('timeout', message, { cause: error })
    },
  )
  return Object.assign(program, { url, api: createClient({ url, timeoutMs: 10_000 }) })
}
