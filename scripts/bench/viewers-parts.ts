/** What the benchmarks of viewers share: a stage that talks at a given pace, and real sockets that listen to it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Instance, startInstance } from './instance.ts'
import { type Program, startNode } from './program.ts'
import { cpuMs } from './usage.ts'

/**
 * `stamped`: each token is the moment of its emission; else words of 4.5 characters.
 * `keepsPace`: after a late timer, what is due by then is said at once; else tokens are never closer than at that pace.
 */
export type Talk = { tokens: number; perSecond: number; stamped: boolean; keepsPace: boolean }

/** `lagsMs`: per frame, in order, from the emission of its oldest token to its slowest viewer. */
export type Heard = { lagsMs: number[]; bytes: number[] }

export type Viewers = {
  /** Resolves when the last of them has heard that the stage is done. */
  heard(timeoutMs: number): Promise<Heard>
  [Symbol.asyncDispose](): Promise<void>
}

/** Of one stage of a project. */
export type Audience = { id: string; stage: string; count: number }

export type Place = { instance: Instance; signal: AbortSignal }

const OPEN_MS = 60_000
const STAGE = 'talk'

const PIPELINE = `const at = () => performance.timeOrigin + performance.now()
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const input = { parse: (value) => value }
async function* run({ input: { tokens, perSecond, stamped, keepsPace } }) {
  let dueMs = performance.now()
  for (let i = 0; i < tokens; i++) {
    const earlyMs = dueMs - performance.now()
    if (earlyMs > 0) await pause(earlyMs)
    yield stamped ? at().toFixed(3) + ';' : i % 2 === 0 ? 'tok ' : 'word '
    dueMs = (keepsPace ? dueMs : performance.now()) + 1_000 / perSecond
  }
  return { tokens }
}
export default { name: 'bench-talk', input, stages: [{ name: '${STAGE}', queue: 'llm', run }] }
`

export async function startTalker(folder: string, signal: AbortSignal): Promise<Instance> {
  const pipelines = join(folder, 'pipelines')
  await mkdir(pipelines, { recursive: true })
  await writeFile(join(pipelines, 'talk.mjs'), PIPELINE)
  return startInstance({ dataDir: folder, env: { PIPELINES_DIR: pipelines }, signal })
}

/** Viewers before the talk. `listen` begins it, and says what share of one core it cost the supervisor. */
export type TalkAudience = { listen(): Promise<Heard & { cpuPercent: number }>; [Symbol.asyncDispose](): Promise<void> }

export async function gather(place: Place, talk: Talk, count: number): Promise<TalkAudience> {
  const { api, pid } = place.instance
  const { id } = await api.projects.create({ pipeline: 'bench-talk', input: talk, autostart: false })
  const viewers = await openViewers(place, { id, stage: STAGE, count })
  return {
    async listen() {
      const [fromMs, usedMs] = [performance.now(), await cpuMs(pid)]
      await api.projects.start(id)
      const heard = await viewers.heard((1_000 * talk.tokens) / talk.perSecond + OPEN_MS)
      return { ...heard, cpuPercent: (100 * ((await cpuMs(pid)) - usedMs)) / (performance.now() - fromMs) }
    },
    [Symbol.asyncDispose]: () => viewers[Symbol.asyncDispose](),
  }
}

export async function listenTo(place: Place, talk: Talk, count: number): Promise<Heard & { cpuPercent: number }> {
  await using audience = await gather(place, talk, count)
  return await audience.listen()
}

/** Gives them once all are connected; they end with `signal`. */
export async function openViewers({ instance, signal }: Place, { id, stage, count }: Audience): Promise<Viewers> {
  const url = `${instance.url.replace('http', 'ws')}/ws/projects/${id}/stage/${stage}/?v=2`
  const program = startNode(fileURLToPath(new URL('./viewers-child.ts', import.meta.url)), [url, String(count)])
  const end = () => void program[Symbol.asyncDispose]()
  signal.addEventListener('abort', end, { once: true })
  const viewers = {
    heard: (timeoutMs: number) => program.waitFor((line) => lineOf(line, 'lagsMs') as Heard | undefined, timeoutMs),
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', end)
      await program[Symbol.asyncDispose]()
    },
  }
  await connected(program, viewers)
  return viewers
}

async function connected(program: Program, viewers: Viewers): Promise<void> {
  try {
    await program.waitFor((line) => lineOf(line, 'connected'), OPEN_MS)
  } catch (error) {
    await viewers[Symbol.asyncDispose]()
    throw error
  }
}

function lineOf(line: string, field: string): object | undefined {
  const parsed = JSON.parse(line) as object
  return field in parsed ? parsed : undefined
}
