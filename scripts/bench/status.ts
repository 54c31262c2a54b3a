/** How many monitors may ask at once. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exec } from '../../src/lib/exec.ts'
import { startServer } from './bare.ts'
import type { Benchmark } from './benchmark.ts'
import { startInstance } from './instance.ts'

const SECONDS = 3
const CONNECTIONS = 20

export const status: Benchmark = {
  name: 'status',
  what: `GET /status with wrk (${CONNECTIONS} connections, ${SECONDS} s) beside a bare Hono route with the same JSON`,
  goal: 'at least half of the bare route',
  runs: 3,
  async run(bench) {
    const folder = await bench.folder()
    await using instance = await startInstance({ dataDir: folder, signal: bench.signal })
    const body = join(folder, 'status.json')
    await writeFile(body, await (await fetch(`${instance.url}/status`)).text())
    const bare = await startServer(body)
    await using _ended = bare.program
    const [ours, reference]: [number[], number[]] = [[], []]
    for (const url of [instance.url, bare.url]) await load(url, 1, bench.signal) // compiles the hot code
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}`)
      ours.push(await load(instance.url, SECONDS, bench.signal))
      reference.push(await load(bare.url, SECONDS, bench.signal))
    }
    return [{ name: 'requests', unit: '/s', statistic: 'median', ours, reference, goal: { of: 'ratio', atLeast: 0.5 } }]
  },
}

/** Requests a second. */
async function load(url: string, seconds: number, signal: AbortSignal): Promise<number> {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, `${url}/status`]
  const { stdout } = await exec('wrk', args, { signal, timeoutMs: (seconds + 10) * 1_000 })
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk saw failures: ${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}
