/** How soon work begins after it was asked for. */
import { Queue } from 'bullmq'
import { parseRun, startWorkers } from './bare.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { wallMs } from './clock.ts'
import { type Instance, startInstance } from './instance.ts'
import { timesOf, writePipelines } from './pipelines.ts'
import type { Program } from './program.ts'
import { startRedis } from './redis.ts'

const PROJECTS = 40

export const enqueue: Benchmark = {
  name: 'enqueue',
  what: 'POST of a project until its first stage runs, beside a bare BullMQ add until the job runs on the same Redis',
  goal: 'none yet',
  runs: 3,
  async run(bench) {
    const folder = await bench.folder()
    await using redis = await startRedis(await bench.folder(), bench.signal)
    const env = { REDIS: 'attach', REDIS_URL: redis.url, PIPELINES_DIR: await writePipelines(folder) }
    await using instance = await startInstance({ dataDir: folder, env, signal: bench.signal })
    await using worker = await startWorkers({ url: redis.url, concurrency: 8, queues: ['bare'] })
    const queue = new Queue('bare', { connection: { url: redis.url } })
    try {
      const samples = await compare(bench, { instance, worker, queue })
      return [
        { name: 'POST to running', unit: 'ms', statistic: 'median', ...samples, goal: null },
        { name: 'POST to running, p95', unit: 'ms', statistic: 'p95', ...samples, goal: null },
      ]
    } finally {
      await queue.close()
    }
  },
}

async function compare(bench: Bench, parts: { instance: Instance; worker: Program; queue: Queue }) {
  const samples = { ours: [] as number[], reference: [] as number[] }
  await timeOurs(parts.instance) // the first one loads code
  await timeBare(parts.worker, parts.queue)
  for (let run = 1; run <= bench.runs; run++) {
    bench.say(`run ${run} of ${bench.runs}`)
    for (let i = 0; i < PROJECTS; i++) {
      samples.ours.push(await timeOurs(parts.instance))
      samples.reference.push(await timeBare(parts.worker, parts.queue))
    }
  }
  return samples
}

async function timeOurs(instance: Instance): Promise<number> {
  const fromMs = wallMs()
  return timesOf(await instance.perform('bench-noop'))[0]! - fromMs
}

async function timeBare(worker: Program, queue: Queue): Promise<number> {
  const chain = `job-${worker.lines.length}`
  const fromMs = wallMs()
  await queue.add('noop', { chain, left: 0 }, { removeOnComplete: true, removeOnFail: true })
  const run = await worker.waitFor((line) => {
    const parsed = parseRun(line)
    return parsed?.chain === chain ? parsed : undefined
  })
  return run.at - fromMs
}
