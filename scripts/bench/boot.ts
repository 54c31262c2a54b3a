/** How long the user waits after `npm start`, and where that time goes. */

import { API_MODULES, startImports } from './bare.ts'
import type { Bench, Benchmark, Part } from './benchmark.ts'
import { type Instance, startInstance } from './instance.ts'
import { commandOf, cpuMs } from './usage.ts'

export const boot: Benchmark = {
  name: 'boot',
  what: 'process start to a healthy /status with a Redis of our own, beside a bare Node importing the same modules',
  goal: 'warm at most 0.8 s; first boot ever (empty data folder, nothing compiled) at most 1.2 s',
  runs: 7,
  async run(bench) {
    const dataDir = await bench.folder()
    const env = { NODE_COMPILE_CACHE: await bench.folder() }
    await timeBoot(bench, dataDir, env) // fills the cache
    await timeImports(env)
    const warm = { ours: [] as number[], reference: [] as number[] }
    const cold = { ours: [] as number[], reference: [] as number[] }
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      warm.ours.push(await timeBoot(bench, dataDir, env))
      warm.reference.push(await timeImports(env))
      cold.ours.push(await timeBoot(bench, await bench.folder(), { NODE_COMPILE_CACHE: await bench.folder() }))
      cold.reference.push(await timeImports({ NODE_COMPILE_CACHE: await bench.folder() }))
    }
    const parts = await timeline(bench, dataDir, env)
    return [
      { name: 'warm', unit: 'ms', statistic: 'median', ...warm, goal: { of: 'ours', atMost: 800 }, parts },
      { name: 'first ever', unit: 'ms', statistic: 'median', ...cold, goal: { of: 'ours', atMost: 1_200 } },
    ]
  },
}

async function timeBoot(bench: Bench, dataDir: string, env: Record<string, string>): Promise<number> {
  await using instance = await startInstance({ dataDir, env, signal: bench.signal })
  await instance.stop()
  return instance.bootMs
}

async function timeImports(env: Record<string, string>): Promise<number> {
  await using bare = await startImports(API_MODULES, env)
  const ms = performance.now() - bare.startedMs
  await bare.end('SIGINT') // a clean exit is what writes the compile cache
  return ms
}

/** One more boot that says everything; milliseconds since the process was started. */
async function timeline(bench: Bench, dataDir: string, env: Record<string, string>): Promise<Part[]> {
  const originMs = Date.now() - performance.now()
  await using instance = await startInstance({ dataDir, env: { ...env, LOG_LEVEL: 'debug' }, signal: bench.signal })
  await instance.program.waitFor((line) => factOf(line)?.type === 'ready' || undefined)
  const cpu = await cpuParts(await instance.pids())
  await instance.stop()
  return [...partsOf(instance, originMs), ...cpu]
}

/** What the boot costs whatever else the machine does; two cores share it, so it bounds the time from below. */
async function cpuParts(pids: readonly number[]): Promise<Part[]> {
  return Promise.all(
    pids.map(async (pid) => ({
      name: `CPU time of ${await commandOf(pid)}`,
      value: await cpuMs(pid),
      unit: 'ms' as const,
    })),
  )
}

type Fact = { time: string; type?: string; name?: string }

function partsOf({ program, bootMs }: Instance, originMs: number): Part[] {
  const parts = program.lines.flatMap((line): Part[] => {
    const { type, name, time } = factOf(line) ?? {}
    if (!time || !(type === 'ready' || type === 'child_spawned' || type === 'child_ready')) return []
    const label = type === 'ready' ? 'said to be ready' : `${name} ${type === 'child_ready' ? 'ready' : 'spawned'}`
    return [{ name: label, value: Date.parse(time) - originMs - program.startedMs, unit: 'ms' }]
  })
  return [...parts, { name: 'healthy for the client', value: bootMs, unit: 'ms' }]
}

function factOf(line: string): Fact | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as Fact) : undefined
}
