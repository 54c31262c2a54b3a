/** Whether a full data folder costs more than an empty one. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { createCatalog } from '../../src/project/catalog.ts'
import { dataLayout } from '../../src/project/layout.ts'
import { createProjectStore } from '../../src/project/store.ts'
import type { Bench, Benchmark } from './benchmark.ts'
import { cloneProject } from './clones.ts'
import { type Instance, startInstance } from './instance.ts'
import { writePipelines } from './pipelines.ts'
import { pssMb } from './usage.ts'

const PROJECTS = 10_000
const REQUESTS = 100

export const many: Benchmark = {
  name: 'many',
  what: `${PROJECTS.toLocaleString('en-US')} finished projects on disk, beside a data folder with one`,
  goal: 'boot at most 0.3 s longer, list and read at most 20 ms at p95, at most 30 MB more memory',
  runs: 5,
  async run(bench) {
    const { one, full } = await prepare(bench)
    const seen = { one: emptySeries(), full: emptySeries() }
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      await measure(bench, one, seen.one)
      await measure(bench, full, seen.full)
    }
    const both = (of: keyof Series) => ({ ours: seen.full[of], reference: seen.one[of] })
    return [
      { name: 'boot', unit: 'ms', statistic: 'median', ...both('boot'), goal: { of: 'difference', atMost: 300 } },
      { name: 'list', unit: 'ms', statistic: 'p95', ...both('list'), goal: { of: 'ours', atMost: 20 } },
      { name: 'first list', unit: 'ms', statistic: 'median', ...both('firstList'), goal: null },
      { name: 'read', unit: 'ms', statistic: 'p95', ...both('read'), goal: { of: 'ours', atMost: 20 } },
      {
        name: 'memory of the supervisor',
        unit: 'MB',
        statistic: 'median',
        ...both('memory'),
        goal: { of: 'difference', atMost: 30 },
      },
    ]
  },
}

type DataFolder = { dataDir: string; env: Record<string, string>; ids: string[] }

type Series = Record<'boot' | 'list' | 'firstList' | 'read' | 'memory', number[]>

function emptySeries(): Series {
  return { boot: [], list: [], firstList: [], read: [], memory: [] }
}

/** One folder with a project that was really run, and a copy of it with ten thousand more. */
async function prepare(bench: Bench): Promise<{ one: DataFolder; full: DataFolder }> {
  const dataDir = await bench.folder()
  const env = { PIPELINES_DIR: await writePipelines(await bench.folder()) }
  await using instance = await startInstance({ dataDir, env, signal: bench.signal })
  const { id } = await instance.perform('bench-noop')
  await instance.stop()
  await createCatalog(createProjectStore(dataLayout(dataDir))).list({ limit: 1 }) // takes it into the catalog
  const full = await bench.folder()
  for (const name of ['projects', 'catalog.ndjson', 'open'])
    await cp(join(dataDir, name), join(full, name), { recursive: true })
  bench.say(`writing ${PROJECTS} projects`)
  return { one: { dataDir, env, ids: [id] }, full: { dataDir: full, env, ids: await cloneProject(full, id, PROJECTS) } }
}

async function measure(bench: Bench, { dataDir, env, ids }: DataFolder, series: Series): Promise<void> {
  await using instance = await startInstance({ dataDir, env, signal: bench.signal })
  series.boot.push(instance.bootMs)
  series.firstList.push(await timeList(instance))
  for (let i = 0; i < REQUESTS; i++) {
    series.list.push(await timeList(instance))
    // Spread over the whole, and never one that was read a moment ago.
    series.read.push(await timeRead(instance, ids[Math.floor((i * ids.length) / REQUESTS)]!))
  }
  series.memory.push(await pssMb(instance.pid))
  await instance.stop()
}

async function timeList({ api }: Instance): Promise<number> {
  const fromMs = performance.now()
  await api.projects.list()
  return performance.now() - fromMs
}

async function timeRead({ api }: Instance, id: string): Promise<number> {
  const fromMs = performance.now()
  await api.projects.get(id)
  return performance.now() - fromMs
}
