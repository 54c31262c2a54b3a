/** What is left when the supervisor is killed, and how soon the next start has its interrupted stage running again. */
import { identityOf, isAlive } from '../../src/lib/process-tree.ts'
import { until } from '../../src/lib/until.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { wallMs } from './clock.ts'
import { startInstance } from './instance.ts'
import { timesOf, writePipelines } from './pipelines.ts'

const WAIT_MS = 60_000

export const crash: Benchmark = {
  name: 'crash',
  what: 'SIGKILL of the supervisor until none of its processes is left; then start to resumed stage, beside a start with nothing to resume',
  goal: 'nothing left after 1 s; resumed 0.5 s after a boot at the latest',
  runs: 5,
  async run(bench) {
    const [gone, resumed, boots]: [number[], number[], number[]] = [[], [], []]
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      const times = await timeCrash(bench)
      gone.push(times.goneMs)
      resumed.push(times.resumedMs)
      boots.push(times.bootMs)
    }
    return [
      ...[{ name: 'nothing left', ours: gone, reference: [], goal: { of: 'ours', atMost: 1_000 } as const }],
      ...[
        { name: 'start to resumed', ours: resumed, reference: boots, goal: { of: 'difference', atMost: 500 } as const },
      ],
    ].map((finding) => ({ ...finding, unit: 'ms', statistic: 'median' }) as const)
  },
}

async function timeCrash(bench: Bench) {
  const dataDir = await bench.folder()
  const env = { PIPELINES_DIR: await writePipelines(dataDir), NODE_COMPILE_CACHE: await bench.folder() }
  const options = { dataDir, env, signal: bench.signal }
  {
    await using first = await startInstance(options) // fills the compile cache, as every start but the first finds it
    await first.stop()
  }
  await using killed = await startInstance(options)
  const { bootMs } = killed
  const { id } = await killed.api.projects.create({ pipeline: 'bench-wait', input: {} })
  const isRunning = async () => (await killed.api.projects.get(id)).status === 'running'
  await until(isRunning, { timeoutMs: WAIT_MS, signal: bench.signal, what: 'the stage to run' })
  const all = (await killed.pids()).map((pid) => identityOf(pid))
  const killedMs = performance.now()
  process.kill(killed.pid, 'SIGKILL')
  const isGone = () => all.every((who) => !isAlive(who))
  await until(isGone, { timeoutMs: WAIT_MS, everyMs: 1, signal: bench.signal, what: 'nothing to be left' })
  const goneMs = performance.now() - killedMs
  const fromMs = wallMs()
  await using again = await startInstance(options)
  const project = await again.api.waitFor(id, { signal: bench.signal, timeoutMs: WAIT_MS, everyMs: 100 })
  await again.stop()
  return { goneMs, bootMs, resumedMs: timesOf(project)[0]! - fromMs }
}
