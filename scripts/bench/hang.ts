/** How soon a busy loop is found, explained and replaced, with the settings that users have. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../src/lib/errors.ts'
import { until } from '../../src/lib/until.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { timesOf, writePipelines } from './pipelines.ts'

const WAIT_MS = 60_000

export const hang: Benchmark = {
  name: 'hang',
  what: 'a stage enters an endless loop, until the loop is named, its process killed and the stage running again',
  goal: 'at most 13 s',
  runs: 2,
  async run(bench) {
    const ours: number[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, 13 s`)
      ours.push(await timeHang(bench))
    }
    const goal = { of: 'ours', atMost: 13 } as const
    return [{ name: 'loop to running', unit: 's', statistic: 'median', ours, reference: [], goal }]
  },
}

async function timeHang(bench: Bench): Promise<number> {
  const folder = await bench.folder()
  const file = join(folder, 'looping')
  const env = { PIPELINES_DIR: await writePipelines(folder) }
  await using instance = await startInstance({ dataDir: folder, env, signal: bench.signal })
  const { id } = await instance.api.projects.create({ pipeline: 'bench-busy', input: { file } })
  const begun = () => readFile(file, 'utf8').catch(() => undefined) // it has not begun
  const fromMs = Number(await until(begun, { timeoutMs: WAIT_MS, signal: bench.signal, what: 'the loop to begin' }))
  const project = await instance.api.waitFor(id, { signal: bench.signal, timeoutMs: WAIT_MS, everyMs: 100 })
  const worker = (await instance.api.status()).data.services.worker.workers?.find(({ name }) => name === 'media-1')
  const reason = worker?.last_exit ?? 'nothing'
  if (!/busy\.mjs:\d+/.test(reason)) throw new AppError('internal', `The loop was not named, but: ${reason}`)
  await instance.stop()
  return (timesOf(project)[0]! - fromMs) / 1_000
}
