/** What the framework costs: stages that do nothing, beside BullMQ jobs that do nothing on the same Redis. */
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { appendOnce } from '../../src/lib/files.ts'
import { type BareRun, parseRun, startWorkers } from './bare.ts'
import type { Bench, Benchmark, Finding, Part } from './benchmark.ts'
import { type Instance, startInstance } from './instance.ts'
import { CHAIN_LENGTH, gapsOf, timesOf, writePipelines } from './pipelines.ts'
import type { Program } from './program.ts'
import { startRedis } from './redis.ts'
import { median } from './statistics.ts'

/** As many as the queue `llm` runs at once. */
const CHAINS = 8

export const overhead: Benchmark = {
  name: 'overhead',
  what: 'no-op stages (claim, commit, state file, all on disk) beside bare BullMQ no-op jobs on the same Redis',
  goal: 'median at most 25 ms per stage',
  runs: 5,
  async run(bench) {
    const folder = await bench.folder()
    await using redis = await startRedis(await bench.folder(), bench.signal)
    const env = { REDIS: 'attach', REDIS_URL: redis.url, PIPELINES_DIR: await writePipelines(folder) }
    await using instance = await startInstance({ dataDir: folder, env, signal: bench.signal })
    await using worker = await startWorkers({ url: redis.url, concurrency: CHAINS, queues: ['bare'] })
    const queue = new Queue('bare', { connection: { url: redis.url } })
    try {
      return await compare(bench, { instance, bare: { worker, queue }, folder })
    } finally {
      await queue.close()
    }
  },
}

type Bare = { worker: Program; queue: Queue }
type Parts = { instance: Instance; bare: Bare; folder: string }

async function compare(bench: Bench, { instance, bare, folder }: Parts): Promise<Finding[]> {
  const one = { ours: [] as number[], reference: [] as number[] }
  const all = { ours: [] as number[], reference: [] as number[] }
  await instance.perform('bench-chain') // the first one loads code
  await runBare(bare, 1)
  for (let run = 1; run <= bench.runs; run++) {
    bench.say(`run ${run} of ${bench.runs}`)
    one.ours.push(...gapsOf((await runOurs(instance, 1))[0]!))
    one.reference.push(...gapsOf((await runBare(bare, 1))[0]!))
    all.ours.push(rateOf(await runOurs(instance, CHAINS)))
    all.reference.push(rateOf(await runBare(bare, CHAINS)))
  }
  const parts = [await diskPart(folder)]
  return [
    { name: 'from stage to stage', unit: 'ms', statistic: 'median', ...one, goal: { of: 'ours', atMost: 25 }, parts },
    { name: `stages, ${CHAINS} projects at once`, unit: '/s', statistic: 'median', ...all, goal: null },
  ]
}

/** Times of each chain's stages. */
async function runOurs(instance: Instance, chains: number): Promise<number[][]> {
  const projects = await Promise.all(Array.from({ length: chains }, () => instance.perform('bench-chain')))
  return projects.map(timesOf)
}

/** The same chain: each job asks for the next one. */
async function runBare({ worker, queue }: Bare, chains: number): Promise<number[][]> {
  const names = Array.from({ length: chains }, (_, i) => `chain-${worker.lines.length}-${i}`)
  const options = { removeOnComplete: true, removeOnFail: true }
  await Promise.all(names.map((name) => queue.add('noop', { chain: name, left: CHAIN_LENGTH - 1 }, options)))
  await Promise.all(names.map((name) => worker.waitFor((line) => isLast(line, name))))
  const runs = worker.lines.map(parseRun).filter((run) => run !== undefined)
  return names.map((name) => runs.filter((run) => run.chain === name).map((run) => run.at))
}

function isLast(line: string, chain: string): BareRun | undefined {
  const run = parseRun(line)
  return run?.chain === chain && run.left === 0 ? run : undefined
}

/** Stages a second, from the first that ran to the last. */
function rateOf(chains: readonly number[][]): number {
  const times = chains.flat()
  return ((times.length - 1) * 1_000) / (Math.max(...times) - Math.min(...times))
}

/** What one durable write costs here: no stage can be faster than the few that it needs. */
async function diskPart(folder: string): Promise<Part> {
  const times: number[] = []
  for (let i = 0; i < 100; i++) {
    const fromMs = performance.now()
    await appendOnce(join(folder, 'sync-test'), `${'x'.repeat(200)}\n`, true)
    times.push(performance.now() - fromMs)
  }
  return { name: 'one append, synced, on this disk', value: median(times), unit: 'ms' }
}
