/** How long the user waits after Ctrl+C when nothing runs, and which part takes it. */
import { findRedisBinary } from '../../src/redis/binary.ts'
import { prepareOwnRedis } from '../../src/redis/spawn.ts'
import { startSupervisor } from './bare.ts'
import type { Bench, Benchmark, Part } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { median } from './statistics.ts'

export const stop: Benchmark = {
  name: 'stop',
  what: 'SIGINT to exit while idle, beside a bare Node process with a redis-server that it ends',
  goal: 'at most 0.3 s',
  runs: 7,
  async run(bench) {
    const dataDir = await bench.folder()
    const redis = await prepareBare(bench)
    const [ours, reference]: [number[], number[]] = [[], []]
    const components = new Map<string, number[]>()
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      ours.push(await timeStop({ bench, dataDir, components }))
      await using bare = await startSupervisor(redis.binary, redis.config)
      reference.push(await bare.end('SIGINT'))
    }
    const parts = [...components].map(([name, values]): Part => ({ name, value: median(values), unit: 'ms' }))
    return [
      { name: 'idle', unit: 'ms', statistic: 'median', ours, reference, goal: { of: 'ours', atMost: 300 }, parts },
    ]
  },
}

async function prepareBare(bench: Bench): Promise<{ binary: string; config: string }> {
  const binary = await findRedisBinary({ onProgress() {}, signal: bench.signal })
  const { spec } = await prepareOwnRedis({ binary, dataDir: await bench.folder(), port: null, env: {} })
  return { binary, config: spec.command.args[0]! }
}

type Stopping = { bench: Bench; dataDir: string; components: Map<string, number[]> }

async function timeStop({ bench, dataDir, components }: Stopping): Promise<number> {
  await using instance = await startInstance({ dataDir, signal: bench.signal })
  await instance.program.waitFor((line) => line.includes('"type":"ready"') || undefined)
  const ms = await instance.stop()
  for (const line of instance.program.lines) note(line, components)
  return ms
}

/** `stopped` is the whole of it, as the program itself has measured. */
function note(line: string, components: Map<string, number[]>): void {
  const fact = JSON.parse(line) as { type?: string; name?: string; ms?: number }
  if (!['child_stopped', 'component_stopped', 'stopped'].includes(fact.type ?? '') || fact.ms === undefined) return
  const name = fact.name ?? 'all, as it says itself'
  components.set(name, [...(components.get(name) ?? []), fact.ms])
}
