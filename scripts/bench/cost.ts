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
  what: `CPU and memory (PSS) of the supervisor alone, API included, with ${CHILDREN} children, beside a bare process with the same modules`,
  goal: 'CPU below 1 % of one core, PSS at most 80 MB',
  runs: 3,
  async run(bench) {
    const ours: Cost[] = []
    const bare: Cost[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, ${(2 * (SETTLE_MS + WATCH_MS)) / 1_000} s`)
      ours.push(await watchOurs(bench))
      bare.push(await watchBare(bench))
    }
    const column = (name: keyof Cost) => ({ ours: ours.map((c) => c[name]), reference: bare.map((c) => c[name]) })
    return [
      { name: 'CPU', unit: '%', statistic: 'median', ...column('cpu'), goal: { of: 'ours', atMost: 1 } },
      { name: 'memory', unit: 'MB', statistic: 'median', ...column('memory'), goal: { of: 'ours', atMost: 80 } },
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

async function watchBare(bench: Bench): Promise<Cost> {
  await using bare = await startImports(API_MODULES)
  return await watch(bare.pid, bench.signal)
}

async function watch(pid: number, signal: AbortSignal): Promise<Cost> {
  await sleep(SETTLE_MS, signal)
  const [beforeMs, fromMs] = [await cpuMs(pid), performance.now()]
  await sleep(WATCH_MS, signal)
  const cpu = (100 * ((await cpuMs(pid)) - beforeMs)) / (performance.now() - fromMs)
  return { cpu, memory: await pssMb(pid) }
}
