/** Whether a film is made faster than it plays, and what is added to the time that ffmpeg itself needs. */
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Project } from '../../src/api/schemas/project.ts'
import { AppError } from '../../src/lib/errors.ts'
import { exec } from '../../src/lib/exec.ts'
import { findProgram } from '../../src/lib/find-program.ts'
import { mapLimit } from '../../src/lib/map-limit.ts'
import { QUEUES } from '../../src/settings.ts'
import type { Bench, Benchmark, Part } from './benchmark.ts'
import { startInstance } from './instance.ts'
import { ROOT } from './program.ts'
import { type Command, createRecorder, type Recorder } from './recorder.ts'
import { median } from './statistics.ts'

const TEXT = join(ROOT, 'test/fixtures/texts/second-inaugural.txt')
/** Of this text it makes ten shots, which play for 59 s. */
const LIMIT_S = 72
const HEIGHT = 720
const COMMAND_MS = 300_000

export const film: Benchmark = {
  name: 'film',
  what: `a narrated film of a minute in ten shots at ${HEIGHT}p; its render stage beside the same ffmpeg commands by hand`,
  goal: 'the whole in at most its own length; rendering at most 1.15 times the commands alone',
  runs: 3,
  async run(bench) {
    const whole: number[] = []
    const render = { ours: [] as number[], reference: [] as number[] }
    const films: Made[] = []
    for (let run = 1; run <= bench.runs; run++) {
      bench.say(`run ${run} of ${bench.runs}, about two minutes`)
      const made = await makeFilm(bench)
      films.push(made)
      whole.push(made.wholeMs / 1_000 / made.lengthS)
      render.ours.push(made.stages.get('render')! / 1_000)
      render.reference.push(made.byHandMs / 1_000)
    }
    return [
      {
        name: 'time per length',
        unit: '×',
        statistic: 'median',
        ours: whole,
        reference: [],
        goal: { of: 'ours', atMost: 1 },
        parts: partsOf(films),
      },
      { name: 'render stage', unit: 's', statistic: 'median', ...render, goal: { of: 'ratio', atMost: 1.15 } },
    ]
  },
}

type Made = { wholeMs: number; lengthS: number; shots: number; stages: Map<string, number>; byHandMs: number }

async function makeFilm(bench: Bench): Promise<Made> {
  const ffmpeg = await findProgram('ffmpeg')
  if (ffmpeg === undefined) throw new AppError('missing_program', 'ffmpeg is not installed')
  const recorder = await createRecorder(await bench.folder(), ffmpeg)
  const env = { FFMPEG_PATH: recorder.program }
  await using instance = await startInstance({ dataDir: await bench.folder(), env, signal: bench.signal })
  const fromMs = performance.now()
  const text = await readFile(TEXT, 'utf8')
  const project = await instance.perform('video', { text, height: HEIGHT, max_duration_s: LIMIT_S })
  const wholeMs = performance.now() - fromMs
  await instance.stop()
  const byHandMs = await repeat(recorder, ffmpeg, bench.signal)
  return { wholeMs, byHandMs, ...factsOf(project) }
}

function factsOf(project: Project) {
  const rendered = project.stages.find((stage) => stage.name === 'render')?.result as {
    duration_s: number
    shots: number
  }
  const stages = new Map(project.stages.map((stage) => [stage.name, stage.duration_ms ?? 0]))
  return { lengthS: rendered.duration_s, shots: rendered.shots, stages }
}

/** The clips side by side and the rest one after the other, with the priority that the stage gives them. */
async function repeat(recorder: Recorder, ffmpeg: string, signal: AbortSignal): Promise<number> {
  const all = await recorder.commands()
  const isClip = ({ args }: Command) => args.includes('libx264')
  const cwd = all.find(isClip)?.cwd
  if (cwd === undefined) throw new AppError('invalid_output', 'the render stage has run no ffmpeg')
  await recorder.restore(cwd)
  const commands = all.filter((command) => command.cwd === cwd)
  const perform = ({ args, env }: Command) =>
    exec(ffmpeg, args, { cwd, env, signal, nice: QUEUES.video.nice, timeoutMs: COMMAND_MS })
  const fromMs = performance.now()
  await mapLimit(commands.filter(isClip), Math.min(4, availableParallelism()), perform)
  for (const command of commands.filter((c) => !isClip(c))) await perform(command)
  return performance.now() - fromMs
}

function partsOf(films: readonly Made[]): Part[] {
  const names = [...films[0]!.stages.keys()]
  const stages = names.map(
    (name): Part => ({
      name: `stage ${name}`,
      value: median(films.map((made) => made.stages.get(name)!)) / 1_000,
      unit: 's',
    }),
  )
  return [
    { name: `length of the film, from ${films[0]!.shots} shots`, value: films[0]!.lengthS, unit: 's' },
    { name: 'the whole', value: median(films.map((made) => made.wholeMs)) / 1_000, unit: 's' },
    ...stages,
  ]
}
