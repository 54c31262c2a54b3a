/** What it costs to leave windows open: memory of the supervisor per viewer, and connections to Redis. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { AppError } from '../../src/lib/errors.ts'
import { sleep, until } from '../../src/lib/until.ts'
import { addressOf } from '../../src/redis/place.ts'
import type { Bench, Benchmark, Finding } from './benchmark.ts'
import { type Instance, startInstance } from './instance.ts'
import { writePipelines } from './pipelines.ts'
import { startRedis } from './redis.ts'
import { pssMb } from './usage.ts'
import { openViewers } from './viewers-parts.ts'

const VIEWERS = 1_000
/** Some who come and leave, so that code and first buffers are not charged to those who stay. */
const FIRST_VIEWERS = 20
const SETTLE_MS = 5_000
const WAIT_MS = 60_000

export const sockets: Benchmark = {
  name: 'sockets',
  what: `${VIEWERS} idle WebSocket viewers of a finished and of a running project: growth of the supervisor's PSS`,
  goal: 'at most 30 KB per viewer; at most 4 connections to Redis with and without them',
  runs: 2,
  async run(bench) {
    const finished: Seen[] = []
    const running: Seen[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      finished.push(await watch(bench, 'finished'))
      running.push(await watch(bench, 'running'))
    }
    const all = [...finished, ...running]
    return [
      memory('per viewer of a finished project', finished),
      memory('per viewer of a running project', running),
      connections(
        'to Redis, no viewer',
        all.map((seen) => seen.before),
      ),
      connections(
        `to Redis, ${VIEWERS} viewers`,
        all.map((seen) => seen.after),
      ),
    ]
  },
}

type Seen = { kb: number; before: number; after: number }

function memory(name: string, seen: Seen[]): Finding {
  const ours = seen.map(({ kb }) => kb)
  return { name, unit: 'KB', statistic: 'median', ours, reference: [], goal: { of: 'ours', atMost: 30 } }
}

/** The highest that was seen. */
function connections(name: string, counts: number[]): Finding {
  const goal = { of: 'ours', atMost: 4 } as const
  return { name, unit: 'connections', statistic: 'p99', ours: counts, reference: [], goal }
}

/** A new instance each time: memory that earlier viewers have left would be used again. */
async function watch(bench: Bench, kind: 'finished' | 'running'): Promise<Seen> {
  const { signal } = bench
  const folder = await bench.folder()
  await using redis = await startRedis(await bench.folder(), signal)
  const env = { REDIS: 'attach', REDIS_URL: redis.url, PIPELINES_DIR: await writePipelines(folder) }
  await using instance = await startInstance({ dataDir: folder, env, signal })
  const project = await PROJECTS[kind](instance, signal)
  const place = { instance, signal }
  const look = async () => {
    await sleep(SETTLE_MS, signal)
    const connections = await connectionsOf(instance.pid)
    return {
      mb: await pssMb(instance.pid),
      redis: connections.filter(({ remote }) => remote === addressOf(redis.url).port).length,
      viewers: connections.filter(({ local }) => local === addressOf(instance.url).port).length,
    }
  }
  await (await openViewers(place, { ...project, count: FIRST_VIEWERS }))[Symbol.asyncDispose]()
  const before = await look()
  await using _open = await openViewers(place, { ...project, count: VIEWERS })
  const after = await look()
  if (after.viewers !== VIEWERS) throw new AppError('program_failed', `${after.viewers} of ${VIEWERS} viewers are left`)
  return {
    kb: ((after.mb - before.mb) * 1_024) / VIEWERS,
    before: before.redis,
    after: after.redis,
  }
}

const PROJECTS = {
  async finished(instance: Instance) {
    return { id: (await instance.perform('bench-noop')).id, stage: 'noop' }
  },
  async running(instance: Instance, signal: AbortSignal) {
    const { id } = await instance.api.projects.create({ pipeline: 'bench-wait', input: {} })
    const isRunning = async () => (await instance.api.projects.get(id)).status === 'running'
    await until(isRunning, { timeoutMs: WAIT_MS, signal, what: 'the stage to run' })
    return { id, stage: 'wait' }
  },
}

type Connection = { local: number; remote: number }

/** Ports of what that process has established, as proc(5) lists it: Linux only. */
async function connectionsOf(pid: number): Promise<Connection[]> {
  const names = await readdir(`/proc/${pid}/fd`)
  // A file that has been closed meanwhile is no connection.
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')))
  const own = new Set(links)
  const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n').slice(1)
  return rows.flatMap((row) => {
    const [, local, remote, state, , , , , , inode] = row.trim().split(/\s+/)
    return state === ESTABLISHED && own.has(`socket:[${inode}]`)
      ? { local: portOf(local!), remote: portOf(remote!) }
      : []
  })
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1]!, 16)
}

const ESTABLISHED = '01'
