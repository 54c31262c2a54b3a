/** The real program as a process: started in several ways, read line by line, ended by signals. */
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LaunchFact, ReadyFact } from '../../src/launch/facts.ts'
import { spawnTethered } from '../../src/lib/tether.ts'
import { twoTurns, until, within } from '../../src/lib/until.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/**
 * `pty`: npm in a pseudo-terminal, as on a desk; needs script(1). `shell`: the same, typed into an interactive shell,
 * which knows Ctrl+Z. `command`: `showrunner start`. `head`: npm, its output cut off after a line. `init`: PID 1 of a PID namespace; needs root.
 */
export type Via = 'node' | 'npm' | 'command' | 'pty' | 'shell' | 'head' | 'init'

/** `columns`: of the terminal. */
export type LaunchOptions = { env: Record<string, string>; via?: Via; args?: readonly string[]; columns?: number }

export type Program = {
  /** Of what was started: node, npm or script(1). */
  readonly pid: number
  readonly child: ChildProcess
  readonly exit: Promise<Exit>
  /** Null while it runs. */
  exited(): Exit | null
  /** Resolves with what the program says when all is up; rejects when it ends before. */
  ready(timeoutMs?: number): Promise<ReadyFact>
  facts<T extends LaunchFact['type']>(type: T): Extract<LaunchFact, { type: T }>[]
  /** All that it has printed. */
  output(): string
  signal(name: NodeJS.Signals): void
  /** As if typed into its terminal. */
  type(text: string): void
  /** The exit, or throws when there is none in time. */
  ended(timeoutMs: number): Promise<Exit>
}

export function launchProgram({ env, via = 'node', args = [], columns = 80 }: LaunchOptions): Program {
  // It ends with us, whatever ends us.
  // A group of its own: signals of the terminal that runs the tests are not for it.
  const child = spawnTethered(...COMMANDS[via](args, columns), { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more
    })
  child.stdin.on('error', () => {}) // it may be gone before it has read
  if (via === 'shell') child.stdin.write(`${NPM.join(' ')}\n`)
  let end: Exit | null = null
  // Its last words may still lie in the pipe; not 'close', for others may hold its output open.
  const exit = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => void twoTurns().then(() => resolve({ code, signal }))),
  )
  void exit.then((is) => {
    end = is
  })
  const factsOf = (type: string) => parseFacts(text).filter((fact) => fact.type === type)
  return {
    pid: child.pid!,
    child,
    exit,
    exited: () => end,
    facts: (type) => factsOf(type) as never,
    output: () => text,
    async ready(timeoutMs = 45_000) {
      const probe = () => {
        if (end && factsOf('ready').length === 0)
          throw new Error(`It ended (${JSON.stringify(end)}) before it was ready:\n${text}`)
        return factsOf('ready')[0] as ReadyFact | undefined
      }
      return until(probe, { timeoutMs, everyMs: 10, what: 'the program to be ready' })
    },
    signal: (name) => void child.kill(name),
    type: (keys) => void child.stdin.write(keys),
    async ended(timeoutMs) {
      const is = await within(exit, timeoutMs, null)
      if (is === null) throw new Error(`It did not end within ${timeoutMs} ms:\n${text.slice(-4_000)}`)
      return is
    },
  }
}

const NPM = ['npm', 'start', '--silent']
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning', 'src/main.ts']

const COMMANDS: Record<Via, (args: readonly string[], columns: number) => [file: string, args: string[]]> = {
  node: (args) => split([...NODE, ...args]),
  npm: (args) => split(npm(args)),
  command: (args) => split([process.execPath, 'scripts/showrunner.mjs', 'start', ...args]),
  // Without exec a shell stays in between, which ends by Ctrl+C in its own way.
  pty: (args, columns) => inTerminal(`stty columns ${columns} rows 24; exec ${npm(args).join(' ')}`),
  shell: () => inTerminal('exec bash --norc --noprofile -i'),
  head: (args) => ['sh', ['-c', `${npm(args).join(' ')} | head -1`]],
  init: (args) => ['unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', ...NODE, ...args]],
}

function npm(args: readonly string[]): string[] {
  return [...NPM, ...(args.length > 0 ? ['--', ...args] : [])]
}

function inTerminal(command: string): [string, string[]] {
  return ['script', ['-qfec', command, '/dev/null']]
}

function split([file, ...args]: string[]): [string, string[]] {
  return [file!, args]
}

function parseFacts(text: string): LaunchFact[] {
  return text.split('\n').flatMap((line) => {
    const start = line.indexOf('{') // a terminal shows the ^C that was typed before it
    try {
      return start >= 0 ? [JSON.parse(line.slice(start)) as LaunchFact] : []
    } catch {
      return [] // a line that is still being written
    }
  })
}
