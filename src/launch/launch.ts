/** From the command line to the exit code: the whole life of `npm start`. */
import { readFileSync } from 'node:fs'
import { boot } from '../boot.ts'
import { inheritedSecrets, secretsOf } from '../config/secrets.ts'
import { launcherPid, loadConfig, processSources } from '../config.ts'
import { parseFlags, USAGE } from '../flags.ts'
import { ERRORS, stackOf, toAppError } from '../lib/errors.ts'
import { createRedactor } from '../lib/redact.ts'
import { dataLayout } from '../project/layout.ts'
import type { App } from './app.ts'
import type { LaunchFact } from './facts.ts'
import { listenForFaults } from './faults.ts'
import { createToken } from './new-token.ts'
import { createOutput } from './output.ts'
import { listenForSignals, type Signals } from './signals.ts'
import { createStopDisplay } from './stop-display.ts'
import { createVoice, type Voice } from './voice.ts'

export type LaunchOptions = { argv: readonly string[]; startedMs: number; cacheDir: string | null }

/** Resolves with the exit code when everything has stopped. */
export async function launch({ argv, startedMs, cacheDir }: LaunchOptions): Promise<number> {
  const signals = listenForSignals()
  const faults = listenForFaults()
  const output = createOutput()
  let running: App | undefined
  let redactor = createRedactor()
  try {
    const flags = parseFlags(argv)
    if (flags.help) return say(output.write, USAGE)
    const version = readVersion()
    if (flags.version) return say(output.write, `${version}\n`)
    const sources = processSources(flags)
    let config = loadConfig(sources)
    if (flags.newToken) config = await createToken(config)
    const { format, level } = config.log
    redactor = createRedactor([...secretsOf(config), ...inheritedSecrets(sources.env)])
    const logs = dataLayout(config.dataDir).logs
    const voice = createVoice({ format, level, colour: output.colour, write: output.write, redactor, logs })
    output.onLeftOut(voice.leftOut)
    for (const note of config.notes) voice.note(note)
    const launcher = launcherPid(sources, process.ppid)
    if (launcher !== null) signals.follow(launcher)
    const canRewrite = format === 'pretty' && sources.env.TERM !== 'dumb'
    const display = createStopDisplay({
      view: () => running?.stopView() ?? null,
      terminal: canRewrite ? output.terminal : null,
      say: voice.say,
    })
    const childEnv: Record<string, string> = cacheDir ? { NODE_COMPILE_CACHE: cacheDir } : {}
    const onFact = (fact: LaunchFact) => {
      voice.say(fact)
      display.note(fact)
    }
    const how = { startedMs, redactor, signal: signals.early, onFact, onFault: faults.onFault, childEnv }
    const booting = boot({ config, version, ...how }).catch((error: unknown) => {
      if (signals.early.aborted) return 0 // nothing had begun that would have to be saved
      throw error
    })
    const app = await Promise.race([booting, signals.forced, faults.first])
    if (typeof app === 'number') return app // our end is the end of all that we have started
    if ('runningAt' in app) return alreadyRunning(app.runningAt, voice)
    running = app
    signals.onStatus(app.tellStatus)
    return await Promise.race([supervise(app, signals), faults.first])
  } catch (error) {
    return fail(error, (text) => output.writeError(redactor.clean(text)))
  } finally {
    await output.flush()
  }
}

function say(write: (text: string) => void, text: string): number {
  write(text)
  return 0
}

function readVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}

function alreadyRunning(
  { url, pid, started_at }: { url: string; pid: number; started_at: string },
  voice: Voice,
): number {
  voice.note(`Showrunner already serves this data folder at ${url} (pid ${pid}, since ${started_at})`)
  return 0
}

function fail(error: unknown, write: (text: string) => void): number {
  const known = toAppError(error)
  const stack = known.code === 'internal' ? stackOf(known.cause ?? known) : null
  write(`${stack ?? known.message}\n`)
  return ERRORS[known.code].exit
}

/** Until it has stopped: the first signal drains, the second hurries, the third kills. */
function supervise(app: App, signals: Signals): Promise<number> {
  return new Promise((resolve, reject) => {
    let exitCode = 0
    const end = (cause: string) => app.stop(cause).then(() => resolve(exitCode), reject)
    signals.onStop((press) => {
      exitCode = press.exitCode
      void end(press.cause) // a stop that goes on already is the same
      if (press.step === 'hurry') app.hurry()
      if (press.step === 'kill') app.kill()
    })
  })
}
