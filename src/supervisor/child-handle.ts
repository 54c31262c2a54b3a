/** One child process: spawned in its own group, heard from the first byte, settled exactly once. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { CHILD_ENVIRONMENT } from '../lib/child-environment.ts'
import { messageOf } from '../lib/errors.ts'
import { inheritedEnv } from '../lib/exec.ts'
import { endGroup, isGroupEmpty, signalGroup } from '../lib/process-tree.ts'
import { spawnTethered } from '../lib/tether.ts'
import { within } from '../lib/until.ts'
import { createStackReader, type StackReader } from './capture.ts'
import type { Stream } from './facts.ts'
import { readLines } from './lines.ts'
import type { ChildSpec } from './spec.ts'
import { endStrays } from './strays.ts'

/** `killedFor`: why we killed it, if we did for a reason. */
export type Exit = { code: number | null; signal: string | null; reason: string; killedFor: string | null }

export type ChildHandle = {
  /** Null when it could not be spawned. */
  pid: number | null
  /** Null where nobody can look inside. */
  stack: StackReader | null
  /** False when the message could not be handed over. */
  send(message: object): boolean
  /** To the whole group, followed by CONT: a stopped process would never see it. */
  signal(signal: NodeJS.Signals): void
  /** Kills the group; the first reason given becomes the exit's. */
  kill(reason: string | null): void
}

export type ChildEvents = {
  onLine(stream: Stream, line: string): void
  onMessage(message: unknown): void
  /** Once, when the group is empty and its output is read. */
  onExit(exit: Exit): void
}

/** Output of a dead child is waited for no longer than this: a stranger may hold its pipe. */
const FLUSH_MS = 1_000

export function spawnChild(spec: ChildSpec, events: ChildEvents): ChildHandle {
  let killReason: string | null = null
  let gone = false
  const childId = spec.kind === 'node' ? randomUUID() : null // stages run in node children only
  const child = launch(spec, childId)
  if (child instanceof Error) {
    queueMicrotask(() => events.onExit({ code: null, signal: null, reason: messageOf(child), killedFor: null }))
    return { pid: null, stack: null, send: () => false, signal() {}, kill() {} }
  }
  const { pid = null } = child
  const stack = spec.inspect && pid !== null ? createStackReader(pid, spec.inspect.roots) : null
  readLines(child.stdout!, (line) => events.onLine('stdout', line))
  readLines(child.stderr!, (line) => stack?.takes(line) || events.onLine('stderr', line))
  child.on('message', (message) => events.onMessage(message))
  child.on('error', () => {}) // a failed spawn is seen by exitOf, a failed send by its callback
  void exitOf(child, spec, childId).then((exit) => {
    gone = true
    stack?.end()
    events.onExit({ ...exit, reason: killReason ?? exit.reason, killedFor: killReason })
  })
  const toGroup = (signal: NodeJS.Signals) => {
    if (pid !== null && !gone) signalGroup(pid, signal)
  }
  return {
    pid,
    stack,
    send: (message) => sendSafely(child, message),
    signal(signal) {
      toGroup(signal)
      toGroup('SIGCONT')
    },
    kill(reason) {
      killReason ??= reason
      toGroup('SIGKILL')
    },
  }
}

function launch(spec: ChildSpec, childId: string | null): ChildProcess | Error {
  const { file, args, env } = spec.command
  const channel = spec.kind === 'node' ? (['ipc'] as const) : []
  try {
    return spawnTethered(file, args, {
      env: inheritedEnv(childId === null ? env : { ...env, [CHILD_ENVIRONMENT.childId]: childId }),
      stdio: ['ignore', 'pipe', 'pipe', ...channel],
      onParentDeath: spec.onParentDeath,
    })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error)) // some errnos throw, others are events
  }
}

/** `error` without a pid means that there will be no `exit`; with one it is about a send or a signal. */
async function exitOf(child: ChildProcess, spec: ChildSpec, childId: string | null): Promise<Omit<Exit, 'killedFor'>> {
  const closed = once(child, 'close').catch(() => undefined) // rejects on 'error', which counts as closed
  const exit = await new Promise<Omit<Exit, 'killedFor'>>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal, reason: exitReason(spec, code, signal) }))
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, reason: messageOf(error) })
    })
  })
  const left = child.pid === undefined ? null : await endRest(child.pid, childId)
  await within(closed, FLUSH_MS, undefined)
  child.stdout?.destroy()
  child.stderr?.destroy()
  return left === null ? exit : { ...exit, reason: `${exit.reason}; ${left}` }
}

function endRest(pid: number, childId: string | null): Promise<string | null> {
  if (childId !== null) void endStrays(childId) // beside it: a restart does not wait for looks at all processes
  return emptyGroup(pid)
}

/** What the leader left behind belongs to nobody. Gives a sentence when it cannot be ended. */
async function emptyGroup(pid: number): Promise<string | null> {
  if (isGroupEmpty(pid)) return null
  try {
    await endGroup(pid)
    return null
  } catch (error) {
    return messageOf(error) // a process in uninterruptible sleep; its kill is pending
  }
}

function exitReason({ kind, command }: ChildSpec, code: number | null, signal: string | null): string {
  if (signal !== null) return `was ended by ${signal}`
  if (code === 127 && kind === 'program') return `${command.file} is not installed` // the shell's answer
  return `exited with code ${code}`
}

function sendSafely(child: ChildProcess, message: object): boolean {
  if (!child.connected) return false
  child.send(message, () => {}) // it may end while the message is on its way; its exit tells
  return true
}
