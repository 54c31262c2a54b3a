/** Performs `chaos`: the fault matrix, or the random kills, and their scorecard. */
import { randomInt } from 'node:crypto'
import type { Fault } from '../chaos/fault.ts'
import { chooseFaults, runMatrix } from '../chaos/matrix.ts'
import { runSoak } from '../chaos/soak.ts'
import { userWork, type Work } from '../chaos/work.ts'
import { AppError, toAppError } from '../lib/errors.ts'
import type { PipelineDefinition } from '../pipelines/define.ts'
import { loadPipelines } from '../pipelines/registry.ts'
import { parseInput } from '../queue/admission.ts'
import { faultTable, matrixText, soakText, trialLine } from './chaos-text.ts'
import { readInput } from './input.ts'
import type { Options, VerbContext } from './verb.ts'

/** Returns the exit code. */
export async function runChaos(context: VerbContext, options: Options): Promise<number> {
  refuseIdle(options)
  const ofUser = options.pipeline !== undefined
  const faults = chooseFaults((options.only as string[] | undefined) ?? [], { ofUser })
  if (options.list === true) {
    context.out.data(faults, faultTable(faults))
    return 0
  }
  const seed = (options.seed as string | undefined) ?? String(randomInt(1_000_000))
  const work = await workOf(context, options)
  const how = { seed, signal: context.signal, ...(work ? { work } : {}) }
  return options.random === undefined ? matrix(context, faults, how) : soak(context, options, how)
}

/** An option without effect is a mistake, of which one wants to hear before the minutes that it did not change. */
function refuseIdle(options: Options): void {
  const isRandom = options.random !== undefined
  const idle = [
    ...(isRandom ? [] : ['minutes', 'projects'].map((name) => [name, 'counts only with --random <kills>'])),
    ...(isRandom ? [['only', 'counts only without --random, which kills and does nothing else']] : []),
    ...(options.pipeline === undefined ? [['input', 'is for the pipeline that --pipeline <name> names']] : []),
  ].flatMap(([name, why]) => (options[name!] === undefined ? [] : [`--${name} ${why}`]))
  if (idle.length > 0) throw new AppError('invalid_value', idle.join('; '))
}

type How = { seed: string; signal: AbortSignal; work?: Work }

async function matrix({ out }: VerbContext, faults: Fault[], how: How): Promise<number> {
  const underWay = new Set<string>()
  const draw = () => out.draw(underWay.size === 0 ? '' : `… ${[...underWay].join(', ')}`)
  const report = await runMatrix({
    ...how,
    faults,
    onBegin({ id }) {
      underWay.add(id)
      draw()
    },
    onEnd(trial) {
      underWay.delete(trial.id)
      out.draw('')
      out.say(trialLine(trial, out))
      draw()
    },
  })
  out.data(report, matrixText(report, out))
  return report.ok ? 0 : 1
}

async function soak({ out }: VerbContext, options: Options, how: How): Promise<number> {
  const kills = countOf(options, 'random')
  const wishes = { kills, projects: countOf(options, 'projects', 200), minutes: numberOf(options, 'minutes', 10) }
  out.say(`seed ${how.seed}`)
  const report = await runSoak({
    ...how,
    wishes,
    onProgress: (now) =>
      out.draw(`${now.kills} of ${kills} kills, ${now.ended} of ${now.asked} projects have ended (seed ${how.seed})`),
  })
  out.draw('')
  out.data(report, soakText(report, out))
  return report.ok ? 0 : 1
}

async function workOf({ config }: VerbContext, options: Options): Promise<Work | undefined> {
  const { pipeline: name, input: file } = options as { pipeline?: string; input?: string }
  if (name === undefined) return undefined
  const registry = await loadPipelines(config().pipelinesDir)
  const pipeline = registry.get(name)
  if (!pipeline) {
    const known = registry.all().map((one) => one.name)
    throw new AppError('not_found', `There is no pipeline "${name}"; these are: ${known.join(', ')}`)
  }
  const input = file === undefined ? (pipeline.examples?.[0] ?? {}) : await readInput({ pipeline: name, file, set: [] })
  await assertValid(pipeline, { input, file })
  return userWork(name, input)
}

/** Else every fault would start an instance, only to hear that from it. */
async function assertValid(pipeline: PipelineDefinition, given: { input: unknown; file?: string }): Promise<void> {
  try {
    await parseInput(pipeline, given.input)
  } catch (error) {
    const { message, details } = toAppError(error)
    throw new AppError('invalid_value', `${message} (${originOf(pipeline, given.file)})`, { cause: error, details })
  }
}

function originOf({ name, examples }: PipelineDefinition, file: string | undefined): string {
  if (file !== undefined) return `--input ${file}`
  const taken = examples?.[0] === undefined ? `${name} has no examples` : `the first example of ${name}`
  return `${taken}; give it an input with --input <file>`
}

function countOf(options: Options, name: string, fallback?: number): number {
  const value = numberOf(options, name, fallback)
  if (Number.isInteger(value)) return value
  throw new AppError('invalid_value', `--${name} ${value}: expected a whole number above 0`)
}

function numberOf(options: Options, name: string, fallback?: number): number {
  const text = options[name] as string | undefined
  const value = text === undefined ? (fallback ?? Number.NaN) : Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new AppError('invalid_value', `--${name} ${text}: expected a number above 0`)
}
