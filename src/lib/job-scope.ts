/** Which job the present code runs for, and the programs that it has started: kept in the job's async context. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { descendantsOf, signalGroup, signalProcess } from './process-tree.ts'

export type JobScope = {
  readonly taskId: string
  /** Running programs, whichever way the job started them. */
  readonly programs: Set<ChildProcess>
  /** Past its hard limit, or ended: what it still starts is killed as well. */
  isOver: boolean
}

type Store = AsyncLocalStorage<JobScope>

/** Under this name of `globalThis` a debugger finds the job in whose context a blocked loop runs. */
const STORE = Symbol.for('showrunner.scope')

export function createScope(taskId: string): JobScope {
  return { taskId, programs: new Set(), isOver: false }
}

export function runInScope<T>(scope: JobScope, fn: () => Promise<T>): Promise<T> {
  return openStore().run(scope, fn)
}

/** The task for which the present code runs, if it runs for one. */
export function presentTask(): string | null {
  return (globalThis as { [STORE]?: Store })[STORE]?.getStore()?.taskId ?? null
}

/** Kills the job's programs with all that they have started, and from now on every one that it starts. */
export function endPrograms(scope: JobScope): void {
  scope.isOver = true
  for (const program of scope.programs) killProgram(program)
}

/** Kills every program below this process, whatever group it has made for itself. For a process that ends. Linux only. */
export function endDescendants(): void {
  for (const pid of descendantsOf(process.pid)) signalProcess(pid, 'SIGKILL')
}

function openStore(): Store {
  const home = globalThis as { [STORE]?: Store }
  if (home[STORE]) return home[STORE]
  const store: Store = new AsyncLocalStorage()
  home[STORE] = store
  // Node tells of every child process at the call that starts it, so in the context of the job.
  subscribe('child_process', (message) => noteProgram(store.getStore(), (message as { process: ChildProcess }).process))
  return store
}

function noteProgram(scope: JobScope | undefined, program: ChildProcess): void {
  if (!scope) return
  scope.programs.add(program)
  program.once('exit', () => scope.programs.delete(program))
  program.once('spawn', () => scope.isOver && killProgram(program))
}

/** It may lead a group, which outlives it, or have descendants in the group of this process. */
function killProgram({ pid }: ChildProcess): void {
  if (pid === undefined) return // it could not be started
  const below = descendantsOf(pid)
  signalGroup(pid, 'SIGKILL')
  for (const one of [pid, ...below]) signalProcess(one, 'SIGKILL')
}
