/** How long the user waits after Ctrl+C while stages run that can be taken up again. */
import { AppError } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { writePipelines } from './pipelines.ts'

const STAGES = 10
/** A step now and then, for longer than the benchmark lasts. */
const INPUT = { steps: 10_000, ms: 200 }

export const drain: Benchmark = {
  name: 'drain',
  what: `SIGINT to exit while ${STAGES} stages run, each in the middle of a step of ${INPUT.ms} ms; all must resume afterwards`,
  goal: 'at most 2 s',
  runs: 3,
  async run(bench) {
    const ours: number[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      ours.push(await timeDrain(bench))
    }
    const goal = { of: 'ours', atMost: 2_000 } as const
    return [{ name: `${STAGES} stages`, unit: 'ms', statistic: 'median', ours, reference: [], goal }]
  },
}

async function timeDrain(bench: Bench): Promise<number> {
  const dataDir = await bench.folder()
  const env = { PIPELINES_DIR: await writePipelines(dataDir), LLM_CONCURRENCY: String(STAGES) }
  const options = { dataDir, env, signal: bench.signal }
  await using instance = await startInstance(options)
  for (let i = 0; i < STAGES; i++) await instance.api.projects.create({ pipeline: 'bench-steps', input: INPUT })
  const allRun = async () => (await instance.api.status()).data.projects.running === STAGES
  await until(allRun, { timeoutMs: 60_000, signal: bench.signal, what: 'all stages to run' })
  const ms = await instance.stop()
  await using again = await startInstance({ ...options, env: { ...env, RESUME: 'off' } })
  const { items } = await again.api.projects.list({ limit: STAGES })
  const saved = items.filter(({ status, reason }) => status === 'waiting' && reason === 'interrupted').length
  if (saved !== STAGES) throw new AppError('internal', `Only ${saved} of ${STAGES} stages can be taken up again`)
  await again.stop()
  return ms
}
