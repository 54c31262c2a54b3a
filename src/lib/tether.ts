/** Starts programs that end with us, however we end: by the kernel's death signal, or held by a pipe that only we keep open. */
import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type IOType,
  type SpawnOptions,
  type StdioOptions,
  spawn,
} from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { AppError } from './errors.ts'

export type TetherOptions = Omit<SpawnOptions, 'stdio' | 'detached'> & {
  stdio: readonly (IOType | 'ipc')[]
  /** 0–19, as nice(1). */
  nice?: number
  /** TERM for a program that saves on it; it gets two seconds. */
  onParentDeath?: 'KILL' | 'TERM'
}

/**
 * As `spawn`, in a process group of its own. A program that is not there ends with code 127. Throws `program_failed`,
 * retryable, when no descriptors are left for its pipes, and what `spawn` throws.
 */
export function spawnTethered(
  file: string,
  args: readonly string[],
  options: TetherOptions & { stdio: readonly ['pipe', 'pipe', 'pipe'] },
): ChildProcessWithoutNullStreams
export function spawnTethered(file: string, args: readonly string[], options: TetherOptions): ChildProcess
export function spawnTethered(file: string, args: readonly string[], options: TetherOptions): ChildProcess {
  const { nice, onParentDeath = 'KILL', stdio, ...others } = options
  const command = nice ? ['nice', '-n', String(nice), file, ...args] : [file, ...args]
  if (process.platform === 'win32') return spawnWhole([file, ...args], { ...others, stdio: [...stdio] as StdioOptions })
  const how = { ...others, detached: true }
  if (!hasDeathSignal) return spawnHeld(command, onParentDeath, { ...how, stdio })
  const watched = ['--pdeathsig', onParentDeath, '--', 'sh', '-c', UNLESS_ORPHANED, String(process.pid)]
  return spawnWhole(['setpriv', ...watched, ...command], { ...how, stdio: [...stdio] as StdioOptions })
}

/** Out of descriptors (EMFILE, ENFILE), Node gives a child without streams and says why only in a later turn. */
function spawnWhole([file = '', ...args]: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(file, args, options)
  if (child.stdio as ChildProcess['stdio'] | undefined) return child
  child.on('error', () => {}) // says what is said here
  throw new AppError('program_failed', 'No program can be started: too many files are open', { retryable: true })
}

/** The kernel tells nothing of a parent that died before it was asked to: such a child must not begin. */
const UNLESS_ORPHANED = '[ "$PPID" = "$0" ] || exit 1; exec "$@"'

/** util-linux ships it on every mainstream Linux; BusyBox has one that knows no death signal. */
const hasDeathSignal =
  process.platform === 'linux' &&
  ['/usr/bin/setpriv', '/bin/setpriv'].some((path) => existsSync(path) && !/busybox/.test(realpathSync(path)))

type Held = Omit<SpawnOptions, 'stdio'> & Pick<TetherOptions, 'stdio'>

/**
 * A shell waits at the end of a pipe. Only we hold the other end, so that the kernel closes it when we are gone; then
 * the shell ends the program's group. It belongs to that group, whose number no other process can get meanwhile.
 */
function spawnHeld(command: readonly string[], onParentDeath: 'KILL' | 'TERM', { stdio, ...options }: Held) {
  const script = holdScript(stdio, onParentDeath)
  const held = { ...options, stdio: [...stdio, 'pipe'] as StdioOptions }
  const child = spawnWhole(['sh', '-c', script, 'tether', ...command], held)
  const pipe = child.stdio[stdio.length] as unknown as Socket
  pipe.on('error', () => {}) // its other end is gone, as the program is
  pipe.unref()
  child.once('exit', () => pipe.destroy()) // what the program leaves in its group ends too
  return child
}

/** Twice in the background, so that the shell is no child of the program, which may wait for all of its children. */
function holdScript(stdio: TetherOptions['stdio'], onParentDeath: 'KILL' | 'TERM'): string {
  const pipe = stdio.length
  const others = stdio.map((_, fd) => (fd < 3 ? '' : `${fd}>&-`)).join(' ')
  const end = onParentDeath === 'KILL' ? '' : 'kill -s TERM $$; kill -s CONT $$; sleep 2; '
  const watch = `trap '' HUP INT QUIT TERM; read -r _ <&${pipe}; ${end}kill -s KILL 0`
  return `( ( ${watch} ) </dev/null >/dev/null 2>&1 ${others} & ); exec ${pipe}>&-; exec "$@"`
}
