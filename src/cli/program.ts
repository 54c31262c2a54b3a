/** The command line as a value: its verbs in one list, its global options, and how one verb is run. */
import { Command, Option } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { type Config, loadConfig, processSources } from '../config.ts'
import { printable, printableLines } from '../lib/columns.ts'
import { AppError, ERRORS, toAppError } from '../lib/errors.ts'
import { chaos } from './chaos.ts'
import { cancel, rerun, resume } from './commands.ts'
import { connect } from './connection.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { health } from './health.ts'
import { logs } from './logs.ts'
import { createOutput, type Output } from './output.ts'
import { project } from './project.ts'
import { projects } from './projects.ts'
import { redisUrl } from './redis-url.ts'
import { restart } from './restart.ts'
import { run } from './run.ts'
import { scale } from './scale.ts'
import { status } from './status.ts'
import type { Options, Verb, VerbContext, VerbOption } from './verb.ts'
import { workers } from './workers.ts'

export const VERBS: readonly Verb[] = [
  status,
  health,
  run,
  projects,
  project,
  cancel,
  resume,
  rerun,
  workers,
  restart,
  scale,
  explain,
  logs,
  redisUrl,
  doctor,
  chaos,
]

export type CliEnvironment = {
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  /** Aborts when the user wants to leave. */
  interrupted: AbortSignal
}

type Globals = { json?: boolean; quiet?: boolean; color: boolean; url?: string; dataDir?: string; timeout?: string }

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 usage or settings, 4 not found, 5 conflict, 69 unavailable, 124 time-out,
130 and 143 ended by a signal; health knows only 0 and 1.`

/** `done` gets the exit code of the verb that was run. */
export function createProgram(environment: CliEnvironment, done: (code: number) => void): Command {
  const program = new Command('showrunner')
    .description('Speaks to the server that `npm start` runs, or reads its folder when there is none.')
    .version(manifest.version)
    .option('--json', 'standard output is JSON and nothing else')
    .option('--url <address>', 'of the server; else the one that serves the data folder')
    .option('--data-dir <folder>', 'setting DATA_DIR')
    .option('-q, --quiet', 'no words for people')
    .option('--no-color', 'no colours; NO_COLOR does the same')
    .option('--timeout <seconds>', 'give up after so long, with exit code 124')
    .addHelpText('after', EXIT_CODES)
    .configureOutput({
      writeOut: (text) => environment.stdout.write(text),
      writeErr: (text) => environment.stderr.write(text),
    })
    .exitOverride()
  for (const verb of VERBS)
    addVerb(program, verb, async (args, options) => done(await runVerb({ program, verb, args, options, environment })))
  return program
}

function addVerb(program: Command, verb: Verb, act: (args: string[], options: Options) => Promise<void>): void {
  const command = program.command(verb.usage).description(verb.summary)
  for (const option of verb.options ?? []) command.addOption(optionOf(option))
  command.action(() => act(command.args, command.opts()))
}

function optionOf([flags, meaning, how]: VerbOption): Option {
  const option = new Option(flags, meaning).makeOptionMandatory(how === 'required')
  // commander's own way to take several values would also take the arguments that follow.
  if (how === 'repeatable') option.argParser((value, before: string[] = []) => [...before, value])
  return option
}

type Invocation = { program: Command; verb: Verb; args: string[]; options: Options; environment: CliEnvironment }

async function runVerb({ program, verb, args, options, environment }: Invocation): Promise<number> {
  const globals = program.opts<Globals>()
  const { stdout, stderr } = environment
  const out = createOutput({
    json: globals.json ?? false,
    quiet: globals.quiet ?? false,
    color: globals.color,
    stdout,
    stderr,
  })
  try {
    const signal = signalOf(environment.interrupted, secondsOf(globals.timeout) ?? verb.timeoutS)
    return await verb.run(contextOf({ globals, out, signal }), args, options)
  } catch (error) {
    return report(out, errorOf(error, environment.interrupted))
  }
}

function contextOf({ globals, out, signal }: { globals: Globals; out: Output; signal: AbortSignal }): VerbContext {
  let loaded: Config | undefined
  const config = () => {
    loaded ??= loadConfig(processSources({ dataDir: globals.dataDir }))
    return loaded
  }
  return { out, config, signal, connect: () => connect(config(), globals.url) }
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return Number(text)
  throw new AppError('invalid_value', `--timeout ${text}: expected seconds above 0`)
}

function signalOf(interrupted: AbortSignal, timeoutS: number | undefined): AbortSignal {
  return timeoutS === undefined ? interrupted : AbortSignal.any([interrupted, AbortSignal.timeout(timeoutS * 1000)])
}

/** Every way in which a request can end, as one of our errors. */
function errorOf(error: unknown, interrupted: AbortSignal): AppError {
  if (interrupted.aborted) return new AppError('cancelled', 'Interrupted', { cause: error })
  if (error instanceof Error && error.name === 'TimeoutError')
    return new AppError('timeout', 'No answer in time', { cause: error })
  return toAppError(error)
}

/** The answer is worded for programs that send requests. */
const TOKEN_HINT =
  '  Set API_TOKEN to the token that the server has; without it, the one that --new-token has stored in DATA_DIR is sent.'

function report(out: Output, error: AppError): number {
  out.warn(`${out.paint('red', 'error:')} ${printableLines(error.message)}`)
  if (error.code === 'unauthorized') out.warn(TOKEN_HINT)
  for (const { pointer, detail } of flawsOf(error)) out.warn(printable(`  ${pointer}: ${detail}`))
  if (out.json) out.data({ error: { code: error.code, message: error.message, details: error.details } }, '')
  return ERRORS[error.code].exit
}

type Flaw = { pointer: string; detail: string }

/** What the server found wrong with the body, field by field; without what the message has said already. */
function flawsOf({ message, details }: AppError): Flaw[] {
  const errors = details?.errors
  const flaws: Flaw[] = Array.isArray(errors) ? errors : []
  const isSaid = ({ pointer, detail }: Flaw) =>
    message.includes(pointer === '/input' ? detail : `${pointer.slice(1)}: ${detail}`)
  return flaws.filter((flaw) => !isSaid(flaw))
}
