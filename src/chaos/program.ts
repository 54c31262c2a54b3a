/** The real program as a child process: its facts as they come, its signals, its end. */
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { AppError } from '../lib/errors.ts'
import { spawnTethered } from '../lib/tether.ts'
import { until, within } from '../lib/until.ts'

/** Something that the program said of itself; `atMs` is the wall clock's, as in journals. */
export type Fact = {
  type: string
  atMs: number
  name?: string
  pid?: number | null
  running?: boolean
  url?: string
  code?: number | null
  retryMs?: number | null
  survivors?: { pid: number; command: string }[]
}

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type Program = {
  readonly pid: number
  readonly startedAtMs: number
  readonly exit: Promise<Exit>
  readonly facts: readonly Fact[]
  /** Null while it runs. */
  exited(): Exit | null
  signal(name: NodeJS.Signals): void
  /** The last lines that it printed. */
  tail(): string
  /** Throws `timeout`. */
  ended(timeoutMs: number): Promise<Exit>
  /** The first fact that fits. Throws `timeout`. */
  said(test: (fact: Fact) => boolean, wait: { timeoutMs: number; signal: AbortSignal }): Promise<Fact>
}

export type ProgramOptions = { env: NodeJS.ProcessEnv; cwd: string; log: string }

/** As `npm start` has them. */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2']
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const TAIL_LINES = 20
/** A program that floods its output must not fill the disk. */
const MAX_LOG_BYTES = 32 * 1024 * 1024

export function launchProgram({ env, cwd, log }: ProgramOptions): Program {
  // It ends with us, whatever ends us; the signals of our terminal are not for it.
  const startedAtMs = Date.now()
  const child = spawnTethered(process.execPath, [...FLAGS, MAIN], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const facts: Fact[] = []
  const tail: string[] = []
  const keeper = openKeeper(log)
  const hear = (line: string) => {
    keeper.keep(line)
    tail.push(line.slice(0, 1_000))
    if (tail.length > TAIL_LINES) tail.shift()
    const fact = parseFact(line)
    if (fact) facts.push(fact)
  }
  for (const input of [child.stdout!, child.stderr!]) createInterface({ input }).on('line', hear)
  child.once('close', keeper.close)
  let end: Exit | null = null
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', (error) => reject(new AppError('program_failed', 'It could not be started', { cause: error })))
  })
  exit.then(
    (is) => (end = is),
    () => {}, // whoever waits for it is told
  )
  return {
    pid: child.pid ?? 0,
    startedAtMs,
    exit,
    facts,
    exited: () => end,
    signal: (name) => void child.kill(name),
    tail: () => tail.join('\n'),
    async ended(timeoutMs) {
      const is = await within(exit, timeoutMs, null)
      if (is) return is
      throw new AppError('timeout', `The program did not end within ${timeoutMs / 1_000} s`)
    },
    said: (test, { timeoutMs, signal }) =>
      until(() => facts.find(test), { timeoutMs, everyMs: 5, signal, what: 'the program to say so' }),
  }
}

/** Ends with the program: a soak starts it a hundred times. */
function openKeeper(path: string): { keep(line: string): void; close(): void } {
  const stream = createWriteStream(path, { flags: 'a' })
  stream.on('error', () => {}) // a log that cannot be kept is no reason to stop; the verdicts do not need it
  let bytes = 0
  return {
    keep(line) {
      bytes += line.length
      if (bytes < MAX_LOG_BYTES && !stream.writableEnded) stream.write(`${line}\n`)
    },
    close: () => void stream.end(),
  }
}

/** How the supervisor's lines begin. The text tells: a stage's line may name any process, but its worker's comes first. */
const OF_SUPERVISOR = /^\{"level":"\w+","time":"[^"]*","process":"supervisor",/

/** Cheap for the many lines that are not facts. */
export function parseFact(line: string): Fact | undefined {
  if (!OF_SUPERVISOR.test(line) || !line.includes('"type":"')) return undefined
  try {
    const { type, time, ...rest } = JSON.parse(line) as { type?: unknown; time?: unknown }
    if (typeof type !== 'string' || typeof time !== 'string') return undefined
    return { ...rest, type, atMs: Date.parse(time) }
  } catch {
    return undefined // a line that only looks like one
  }
}
