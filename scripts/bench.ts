/** Measures ours beside raw references on this machine: `npm run bench [-- name …] [--json] [--runs N] [--minutes N]`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { messageOf } from '../src/lib/errors.ts'
import type { Bench, Benchmark } from './bench/benchmark.ts'
import { boot } from './bench/boot.ts'
import { cost } from './bench/cost.ts'
import { crash } from './bench/crash.ts'
import { drain } from './bench/drain.ts'
import { enqueue } from './bench/enqueue.ts'
import { falseKills } from './bench/false-kills.ts'
import { film } from './bench/film.ts'
import { hang } from './bench/hang.ts'
import { idle } from './bench/idle.ts'
import { many } from './bench/many.ts'
import { outage } from './bench/outage.ts'
import { overhead } from './bench/overhead.ts'
import { jsonOf, machine, type Outcome, tableOf } from './bench/report.ts'
import { restart } from './bench/restart.ts'
import { status } from './bench/status.ts'
import { stop } from './bench/stop.ts'
import { stream } from './bench/stream.ts'
import { viewers } from './bench/viewers.ts'
import { bytes } from './bench/viewers-bytes.ts'
import { sockets } from './bench/viewers-idle.ts'

const BENCHMARKS: Benchmark[] = [
  boot,
  stop,
  drain,
  overhead,
  enqueue,
  restart,
  outage,
  crash,
  hang,
  falseKills,
  status,
  idle,
  cost,
  many,
  film,
  stream,
  viewers,
  sockets,
  bytes,
]

const USAGE = `Usage: npm run bench [-- name …] [--json] [--runs <n>] [--minutes <n>]

${BENCHMARKS.map(({ name, what, goal }) => `  ${name.padEnd(11)} ${what}\n              goal: ${goal}`).join('\n')}
`

process.exitCode = await main()
process.exit() // what a failed benchmark has left open must not keep us

async function main(): Promise<number> {
  const args = readArguments()
  if (typeof args === 'string') return refuse(args)
  const { names, runs, minutes, json, help } = args
  if (help) return say(USAGE)
  const unknown = names.find((name) => !BENCHMARKS.some((b) => b.name === name))
  if (unknown !== undefined) return refuse(`There is no benchmark ${unknown}.\n\n${USAGE}`)
  const wanted = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name))
  const signal = interruption()
  const outcomes: Outcome[] = []
  for (const benchmark of wanted)
    if (!signal.aborted) outcomes.push(await perform(benchmark, { runs, minutes, signal }))
  const { cpu, cores, node, load } = machine()
  process.stdout.write(
    json ? jsonOf(outcomes) : `${cpu}, ${cores} cores, Node ${node}, load ${load}\n\n${tableOf(outcomes)}`,
  )
  if (signal.aborted) return 130
  return outcomes.some(({ error }) => error !== null) ? 1 : 0
}

type Arguments = { names: string[]; runs: number | null; minutes: number | null; json: boolean; help: boolean }

/** The arguments, or what is wrong with them. */
function readArguments(): Arguments | string {
  const options = {
    json: { type: 'boolean' },
    runs: { type: 'string' },
    minutes: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options })
    const [runs, minutes] = [values.runs, values.minutes].map((text) => (text === undefined ? null : Number(text)))
    for (const [name, value] of Object.entries({ runs, minutes }))
      if (value !== null && !(Number.isInteger(value) && value! > 0))
        return `--${name} must be a whole number above 0\n\n${USAGE}`
    const { json = false, help = false } = values
    return { names: positionals, runs: runs ?? null, minutes: minutes ?? null, json, help }
  } catch (error) {
    return `${messageOf(error)}\n\n${USAGE}`
  }
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function refuse(text: string): number {
  process.stderr.write(text)
  return 2
}

/** The first signal ends what is measured, and with it all that was started; a second one ends us. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => controller.abort(new Error('interrupted')))
  return controller.signal
}

type Options = Pick<Arguments, 'runs' | 'minutes'> & { signal: AbortSignal }

async function perform(benchmark: Benchmark, options: Options): Promise<Outcome> {
  const folders: string[] = []
  const bench: Bench = {
    runs: options.runs ?? benchmark.runs,
    minutes: options.minutes,
    signal: options.signal,
    say: (sentence) => void process.stderr.write(`${benchmark.name}: ${sentence}\n`),
    async folder() {
      const folder = await mkdtemp(join(tmpdir(), 'showrunner-bench-'))
      folders.push(folder)
      return folder
    },
  }
  try {
    return { benchmark, findings: await benchmark.run(bench), error: null }
  } catch (error) {
    bench.say(error instanceof Error ? `${error.stack}` : messageOf(error))
    return { benchmark, findings: [], error: messageOf(error) }
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
