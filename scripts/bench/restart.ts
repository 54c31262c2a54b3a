/** How soon work goes on after a worker was killed. */
import { Job, Queue } from 'bullmq'
import { until } from '../../src/lib/until.ts'
import { parseRun, startWorkers } from './bare.ts'
import type { Bench, Benchmark, Finding } from './benchmark.ts'
import { wallMs } from './clock.ts'
import { startInstance } from './instance.ts'
import { timesOf, writePipelines } from './pipelines.ts'
import { startRedis } from './redis.ts'

const WAIT_MS = 60_000

export const restart: Benchmark = {
  name: 'restart',
  what: 'SIGKILL of a worker until its stage runs again, alone in its group and with a second one, beside bare BullMQ workers',
  goal: 'median at most 0.4 s with one process in the group, at most 0.05 s with two',
  runs: 5,
  async run(bench) {
    const findings: Finding[] = []
    for (const { processes, atMost } of GROUPS) {
      const [ours, reference]: [number[], number[]] = [[], []]
      for (let run = 1; run <= bench.runs; run++) {
        bench.say(`${processes} in the group, run ${run} of ${bench.runs}`)
        ours.push(await timeOurs(bench, processes))
        reference.push(await timeBare(bench, processes))
      }
      const name = processes === 1 ? 'one process' : 'two processes'
      findings.push({ name, unit: 'ms', statistic: 'median', ours, reference, goal: { of: 'ours', atMost } })
    }
    return findings
  },
}

const GROUPS = [
  { processes: 1, atMost: 400 },
  { processes: 2, atMost: 50 },
]

/** A new instance each time: many kills within a minute would be taken for a crash loop. */
async function timeOurs(bench: Bench, processes: number): Promise<number> {
  const folder = await bench.folder()
  const WORKERS = `llm,image,batch_processing,maintenance,health:${processes} video,ai_analysis:1`
  const env = { PIPELINES_DIR: await writePipelines(folder), WORKERS }
  await using instance = await startInstance({ dataDir: folder, env, signal: bench.signal })
  const { id } = await instance.api.projects.create({ pipeline: 'bench-wait', input: {} })
  const holder = async () => {
    const { workers = [] } = (await instance.api.status()).data.services.worker
    const pid = workers.find((worker) => worker.active?.some((job) => job.project_id === id))?.pid
    // A worker holds a job a moment before its claim is on disk; only a claimed start counts as the first attempt.
    return (await instance.api.projects.get(id)).status === 'running' ? pid : undefined
  }
  const pid = await until(holder, { timeoutMs: WAIT_MS, signal: bench.signal, what: 'the stage to run' })
  const fromMs = wallMs()
  process.kill(pid, 'SIGKILL')
  const project = await instance.api.waitFor(id, { signal: bench.signal, timeoutMs: WAIT_MS, everyMs: 100 })
  await instance.stop()
  return timesOf(project)[0]! - fromMs
}

/** What the supervisor does, by hand: give the dead one's job back by its token, to a worker that is there or started anew. */
async function timeBare(bench: Bench, processes: number): Promise<number> {
  await using redis = await startRedis(await bench.folder(), bench.signal)
  const options = { url: redis.url, concurrency: 1, queues: ['bare'] }
  await using first = await startWorkers(options)
  const queue = new Queue('bare', { connection: { url: redis.url } })
  try {
    await queue.add('wait', { chain: 'wait', left: 0, wait: true })
    const { id, token } = await first.waitFor(parseRun)
    await using idle = processes === 1 ? null : await startWorkers(options)
    const fromMs = wallMs()
    await first[Symbol.asyncDispose]()
    const [second] = await Promise.all([idle ?? startWorkers(options), giveBack(queue, id, token)])
    await using _ended = second
    return (await second.waitFor(parseRun)).at - fromMs
  } finally {
    await queue.close()
  }
}

async function giveBack(queue: Queue, id: string, token: string): Promise<void> {
  const job = await Job.fromId(queue, id)
  await job!.moveToWait(token)
}
