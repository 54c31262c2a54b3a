/** What it costs to leave it running: memory and CPU of the whole tree when nothing is to be done. */
import { sleep } from '../../src/lib/until.ts'
import { QUEUE_NAMES } from '../../src/settings.ts'
import { API_MODULES, startImports, startWorkers } from './bare.ts'
import type { Bench, Benchmark, Part } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { startRedis } from './redis.ts'
import { commandOf, cpuMs, pssMb } from './usage.ts'

/** Until boot's garbage and first timers are over. */
const SETTLE_MS = 5_000
const WATCH_MS = 20_000

export const idle: Benchmark = {
  name: 'idle',
  what: 'memory (PSS) and CPU of the whole idle tree, beside bare processes with the same modules, queues and Redis',
  goal: 'PSS at most 230 MB, CPU below 1 % of one core',
  runs: 3,
  async run(bench) {
    const memory = { ours: [] as number[], reference: [] as number[] }
    const cpu = { ours: [] as number[], reference: [] as number[] }
    let parts: Part[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, ${(2 * (SETTLE_MS + WATCH_MS)) / 1_000} s`)
      const ours = await watchOurs(bench)
      const bare = await watchBare(bench)
      memory.ours.push(ours.memory)
      memory.reference.push(bare.memory)
      cpu.ours.push(ours.cpu)
      cpu.reference.push(bare.cpu)
      parts = ours.parts
    }
    return [
      {
        name: 'memory',
        unit: 'MB',
        statistic: 'median',
        ...memory,
        goal: { of: 'ours', atMost: 230 },
        parts: parts.filter((p) => p.unit === 'MB'),
      },
      {
        name: 'CPU',
        unit: '%',
        statistic: 'median',
        ...cpu,
        goal: { of: 'ours', atMost: 1 },
        parts: parts.filter((p) => p.unit === '%'),
      },
    ]
  },
}

type Seen = { memory: number; cpu: number; parts: Part[] }

async function watchOurs(bench: Bench): Promise<Seen> {
  await using instance = await startInstance({ dataDir: await bench.folder(), signal: bench.signal })
  const seen = await watch(await instance.pids(), bench.signal)
  await instance.stop()
  return seen
}

/** Supervisor with API, two workers, scheduler and Redis, in bare processes that only connect and wait. */
async function watchBare(bench: Bench): Promise<Seen> {
  await using redis = await startRedis(await bench.folder(), bench.signal)
  const { url } = redis
  await using api = await startImports(API_MODULES)
  await using io = await startWorkers({ url, concurrency: 8, queues: QUEUE_NAMES.slice(2) })
  await using media = await startWorkers({ url, concurrency: 1, queues: QUEUE_NAMES.slice(0, 2) })
  await using scheduler = await startImports(['bullmq', 'ioredis', 'pino'])
  return await watch(
    [redis.program, api, io, media, scheduler].map(({ pid }) => pid),
    bench.signal,
  )
}

async function watch(pids: readonly number[], signal: AbortSignal): Promise<Seen> {
  await sleep(SETTLE_MS, signal)
  const before = await Promise.all(pids.map(cpuMs))
  const fromMs = performance.now()
  await sleep(WATCH_MS, signal)
  const watchedMs = performance.now() - fromMs
  const after = await Promise.all(pids.map(cpuMs))
  const shares = after.map((ms, i) => (100 * (ms - before[i]!)) / watchedMs)
  const names = await Promise.all(pids.map(commandOf))
  const memories = await Promise.all(pids.map(pssMb))
  const parts = names.flatMap((name, i): Part[] => [
    { name, value: memories[i]!, unit: 'MB' },
    { name, value: shares[i]!, unit: '%' },
  ])
  return { memory: memories.reduce((a, b) => a + b), cpu: shares.reduce((a, b) => a + b), parts }
}
