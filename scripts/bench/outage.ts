/** How soon work goes on after our Redis was killed, and that nobody else has to be started again for it. */
import { AppError } from '../../src/lib/errors.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { wallMs } from './clock.ts'
import { type Instance, startInstance } from './instance.ts'
import { timesOf, writePipelines } from './pipelines.ts'

export const outage: Benchmark = {
  name: 'outage',
  what: 'SIGKILL of our Redis until the first job after it runs; scheduler and workers must keep their processes',
  goal: 'at most 1.5 s',
  runs: 5,
  async run(bench) {
    const ours: number[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      ours.push(await timeOutage(bench))
    }
    const goal = { of: 'ours', atMost: 1_500 } as const
    return [{ name: 'kill to first job', unit: 'ms', statistic: 'median', ours, reference: [], goal }]
  },
}

/** A new instance each time: many kills within a minute would be taken for a crash loop. */
async function timeOutage(bench: Bench): Promise<number> {
  const folder = await bench.folder()
  const env = { PIPELINES_DIR: await writePipelines(folder) }
  await using instance = await startInstance({ dataDir: folder, env, signal: bench.signal })
  await instance.perform('bench-noop') // compiles the hot code
  const before = await othersOf(instance)
  const fromMs = wallMs()
  process.kill((await instance.api.status()).data.services.redis.pid!, 'SIGKILL')
  const project = await instance.perform('bench-noop')
  const after = await othersOf(instance)
  if (after !== before) throw new AppError('internal', `Redis took others with it: ${before} became ${after}`)
  await instance.stop()
  return timesOf(project)[0]! - fromMs
}

async function othersOf({ api }: Instance): Promise<string> {
  const { worker, scheduler } = (await api.status()).data.services
  return [...(worker.workers ?? []), { name: 'scheduler', ...scheduler }]
    .map(({ name, pid, restarts }) => `${name} ${pid} (${restarts} restarts)`)
    .join(', ')
}
