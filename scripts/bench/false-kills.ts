/** Whether a machine that is too busy makes the supervisor kill the innocent. */
import { sleep } from '../../src/lib/until.ts'
import type { Bench, Benchmark, Part } from './benchmark.ts'
import { type Instance, startInstance } from './instance.ts'
import { writePipelines } from './pipelines.ts'
import { startProgram } from './program.ts'

const DEFAULT_MINUTES = 2
const PROJECTS = 6
/** As `stress -c 4` makes it: two for each core of a small machine. */
const BURNERS = 4
const INPUT = { steps: 20, ms: 100 }
const ACCUSATIONS = ['child_suspected', 'child_hung', 'child_boot_missed', 'child_exited', 'child_restart_planned']

export const falseKills: Benchmark = {
  name: 'false-kills',
  what: `processes killed or started again while ${PROJECTS} projects run beside ${BURNERS} busy loops; --minutes ${DEFAULT_MINUTES}`,
  goal: 'none',
  runs: 1,
  async run(bench) {
    const minutes = bench.minutes ?? DEFAULT_MINUTES
    const ours: number[] = []
    let parts: Part[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, ${minutes} min`)
      const seen = await watch(bench, minutes * 60_000)
      ours.push(seen.kills)
      parts = seen.parts
    }
    const goal = { of: 'ours', atMost: 0 } as const
    return [{ name: `in ${minutes} min`, unit: 'kills', statistic: 'median', ours, reference: [], goal, parts }]
  },
}

async function watch(bench: Bench, forMs: number): Promise<{ kills: number; parts: Part[] }> {
  const dataDir = await bench.folder()
  const env = { PIPELINES_DIR: await writePipelines(dataDir), LOG_LEVEL: 'debug' }
  await using instance = await startInstance({ dataDir, env, signal: bench.signal })
  const burners = Array.from({ length: BURNERS }, () => startProgram('sh', ['-c', 'while :; do :; done']))
  let projects: number
  try {
    projects = await work({ bench, instance, endMs: performance.now() + forMs })
  } finally {
    for (const burner of burners) await burner[Symbol.asyncDispose]()
  }
  const seen = countFacts(instance.program.lines) // before the stop, which ends all of them rightly
  await instance.stop()
  const parts = [...seen].map(([name, value]): Part => ({ name, value, unit: 'kills' }))
  return {
    kills: seen.get('child_exited') ?? 0,
    parts: [...parts, { name: 'projects completed', value: projects, unit: '×' }],
  }
}

type Work = { bench: Bench; instance: Instance; endMs: number }

/** Gives the number of projects that were completed. */
async function work({ bench, instance, endMs }: Work): Promise<number> {
  let completed = 0
  const one = async () => {
    while (performance.now() < endMs) {
      await instance.perform('bench-steps', INPUT)
      completed++
      await sleep(100, bench.signal)
    }
  }
  await Promise.all(Array.from({ length: PROJECTS }, one))
  return completed
}

function countFacts(lines: readonly string[]): Map<string, number> {
  const found = ACCUSATIONS.map((type) => {
    const of = lines.filter((line) => line.includes(`"type":"${type}"`))
    return [type, of.length] as const
  })
  return new Map(found)
}
