/** What the supervisor itself costs while it watches over eight children and serves the API. */
import { sleep } from '../../src/lib/until.ts'
import { API_MODULES, startImports } from './bare.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { cpuMs, pssMb } from './usage.ts'

/** Until boot's garbage and first timers are over. */
const SETTLE_MS = 5_000
const WATCH_MS = 20_000
/** Six workers; with the scheduler and Redis that makes eight. */
const WORKERS = 'llm,image,batch_processing,maintenance,health:4 video,ai_analysis:2'
const CHILDREN = 8

type Cost = { cpu: number; memory: number }

export const cost: Benchmark = {
  name: 'cost',
  what: `CPU and memory (PSS) of the supervisor alone, API included, with ${CHILDREN} children; memory beside a bare process with the same modules`,
  goal: 'CPU below 1 % of one core, PSS at most 80 MB',
  runs: 3,
  async run(bench) {
    const ours: Cost[] = []
    const bare: number[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, ${(2 * SETTLE_MS + WATCH_MS) / 1_000} s`)
      ours.push(await watchOurs(bench))
      bare.push(await watchBare(bench))
    }
    const cpu = { ours: ours.map((c) => c.cpu), reference: [] } // one that only waits costs nothing
    const memory = { ours: ours.map((c) => c.memory), reference: bare }
    return [
      { name: 'CPU', unit: '%', statistic: 'median', ...cpu, goal: { of: 'ours', atMost: 1 } },
      { name: 'memory', unit: 'MB', statistic: 'median', ...memory, goal: { of: 'ours', atMost: 80 } },
    ]
  },
}

async function watchOurs(bench: Bench): Promise<Cost> {
  const env = { WORKERS }
  await using instance = await startInstance({ dataDir: await bench.folder(), env, signal: bench.signal })
  const others = (await instance.pids()).length - 1
  if (others !== CHILDREN) throw new Error(`It has ${others} children`)
  const seen = await watch(instance.pid, bench.signal)
  await instance.stop()
  return seen
}

async function watchBare(bench: Bench): Promise<number> {
  await using bare = await startImports(API_MODULES)
  await sleep(SETTLE_MS, bench.signal)
  return await pssMb(bare.pid)
}

async function watch(pid: number, signal: AbortSignal): Promise<Cost> {
  await sleep(SETTLE_MS, signal)
  const [beforeMs, fromMs] = [await cpuMs(pid), performance.now()]
  await sleep(WATCH_MS, signal)
  const cpu = (100 * ((await cpuMs(pid)) - beforeMs)) / (performance.now() - fromMs)
  return { cpu, memory: await pssMb(pid) }
}
