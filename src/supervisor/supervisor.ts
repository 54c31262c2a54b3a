/** Keeps child processes running: the reducer decides, processes.ts acts, and this file is their front. */
import { AppError } from '../lib/errors.ts'
import { within } from '../lib/until.ts'
import { createBoot } from './boot.ts'
import type { Exit } from './child-handle.ts'
import { type ChildRecord, type ChildStatus, createRecord, statusOf } from './child-record.ts'
import { type Clock, createDecisionLoop, type DecisionLoop } from './decision-loop.ts'
import type { StackTop, SupervisorFact } from './facts.ts'
import { guarded } from './guard.ts'
import { createHangWatch } from './hang.ts'
import type { ChildMessage } from './messages.ts'
import { DEFAULT_POLICY, type Policy } from './policy.ts'
import { act, type Host, type Sender, toChild } from './processes.ts'
import type { ChildSpec } from './spec.ts'
import { type Action, type ChildState, canReplace, childOf } from './state.ts'
import { createUsageMeter, type Usage } from './usage.ts'

export type SupervisorOptions = {
  specs: readonly ChildSpec[]
  onFact(fact: SupervisorFact): void
  /** Every message of a child that is not the supervisor's own. */
  onMessage?(sender: Sender, message: ChildMessage): void
  /** Every line that a child prints passes through here first, e.g. to hide what nobody may read. */
  cleanLine?(line: string): string
  /** Asked about a kill that looks like somebody else's: true when the process had it coming, e.g. for its memory. */
  isOwnFault?(exit: Exit): boolean
  policy?: Partial<Policy>
  clock?: Clock
}

/** `deadlineMs` is absolute, on the supervisor's clock (performance.now()). */
export type StopOptions = { drain?: unknown; deadlineMs: number }

export type Supervisor = {
  /** Resolves when all are ready; rejects when one misses its boot deadline, is given up, or crashes three times. */
  start(): Promise<void>
  status(): ChildStatus[]
  ready(name: string): boolean
  /** As it was measured last, also of a process that has just ended. */
  usage(pid: number): Usage
  /** False when the child cannot be reached. */
  send(name: string, message: object): boolean
  /**
   * Drains, then kills at the deadline; resolves when the groups are empty, and throws `timeout` when a kill does not
   * help. Nothing is restarted afterwards. A time in which this process did not run (Ctrl+Z) puts both off.
   */
  stop(names: readonly string[], options: StopOptions): Promise<void>
  /** Stops one child and starts it again, with its crashes forgotten. */
  restart(name: string, options: StopOptions): void
  /** Starts one more child, for which `start` does not wait any more. */
  add(spec: ChildSpec): void
  /** As stop, and then forgets the child. */
  remove(name: string, options: StopOptions): Promise<void>
  /**
   * Starts a successor `<name>.next`. When it is ready it takes the name, and the process before, now `<name>.old`,
   * is drained up to the deadline. False when it is being replaced already, or does not work at present.
   */
  replace(name: string, options: StopOptions & { why: string }): boolean
  /** Until this child, which is being stopped, is killed; null when it is not. */
  killInMs(name: string): number | null
  /** Tells draining children to give up their work; an earlier deadline may come with it. */
  hurry(names: readonly string[], deadlineMs?: number): void
  /** Where the main thread of this process is; null when it does not say, or there is no such process. */
  locate(pid: number): Promise<StackTop | null>
  /** A verdict from outside on a process that is up: it is killed for this reason. */
  condemn(pid: number, verdict: { reason: string; where: StackTop | null }): void
  /** SIGKILL to every group before it returns. */
  kill(): void
}

/** So long after a KILL only a process stuck in the kernel is still there. */
const KILL_WAIT_MS = 5_000
/** A timer so late means that we did not run: nobody's end could be seen in that time. */
const LATE_MS = 1_000
/** A main thread that runs JavaScript says where it is much sooner than this. */
const LOCATE_MS = 1_500

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { specs } = options
  const policy = { ...DEFAULT_POLICY, ...options.policy }
  const { clock = performance, cleanLine = (line: string) => line, isOwnFault = () => false } = options
  const records = new Map(specs.map((spec) => [spec.name, createRecord(spec)]))
  const usage = createUsageMeter(() => [...records.values()].flatMap((record) => record.handle?.pid ?? []))
  const loop = createDecisionLoop({ specs, policy, clock, act: (action: Action) => act(host, action), onEnd })
  const { state, dispatch } = loop
  const host: Host = { records, clock, state, dispatch, tell, onMessage, cleanLine, isOwnFault }
  const boot = createBoot(host, loop)
  const ready = (name: string) => childOf(loop.state(), name)?.phase === 'ready'
  const hangs = createHangWatch({
    limitMs: policy.hangKillMs,
    now: () => clock.now(),
    watched: () => [...records.values()].filter((record) => owesSigns(record, childOf(loop.state(), record.name))),
    onSuspected: (name, silence) => tell({ type: 'child_suspected', name, ...silence }),
    onRecovered: (name, silence) => tell({ type: 'child_recovered', name, ...silence }),
    onHung: (name, { reason, where }) => loop.dispatch({ type: 'condemned', name, reason, where, hung: true }),
  })

  function tell(fact: SupervisorFact): void {
    guarded(() => options.onFact(fact))
    boot.note(fact)
  }

  function onMessage(sender: Sender, message: ChildMessage): void {
    guarded(() => options.onMessage?.(sender, message))
  }

  function onEnd(): void {
    usage.stop()
    hangs.stop()
  }

  return {
    start: boot.run,
    status: () =>
      loop.state().children.map((child) => statusOf(records.get(child.name)!, child, { nowMs: clock.now(), usage })),
    ready,
    usage: usage.of,
    send: (name, message) => records.get(name)?.handle?.send(message) ?? false,
    stop: (names, how) => stop(host, loop, { names, ...how }),
    restart: (name, how) => restart(host, name, how),
    add(spec) {
      records.set(spec.name, createRecord(spec))
      loop.dispatch({ type: 'add', spec })
    },
    remove: (name, how) => stop(host, loop, { names: [name], forget: true, ...how }),
    replace: (name, how) => replace(host, name, how),
    killInMs: (name) => killInMs(host, name),
    hurry: (names, deadlineMs) => hurry(host, names, deadlineMs),
    locate: (pid) => locate(host, pid),
    condemn(pid, verdict) {
      const record = recordOf(host, pid)
      if (!record) return
      record.where = verdict.where
      loop.dispatch({ type: 'condemned', name: record.name, hung: true, ...verdict })
    },
    kill() {
      for (const record of records.values()) record.handle?.kill(null)
      loop.dispatch({ type: 'kill' })
    },
  }
}

/** While it drains too, up to its goodbye: a loop that is blocked by then never ends by itself. */
function owesSigns(record: ChildRecord, child: ChildState | undefined): boolean {
  if (child?.phase === 'ready') return true
  return child?.phase === 'stopping' && child.readyMs > 0 && record.beats && !record.hasSaidGoodbye
}

type StopHow = StopOptions & { names: readonly string[]; forget?: boolean }

async function stop(host: Host, loop: DecisionLoop, how: StopHow): Promise<void> {
  const { names, drain, deadlineMs, forget = false } = how
  for (const record of named(host, names)) record.drain = drain
  const budgetMs = Math.max(0, deadlineMs - host.clock.now())
  if (!forget) host.dispatch({ type: 'stop', names, budgetMs })
  else for (const name of names) host.dispatch({ type: 'remove', name, budgetMs })
  const left = () => host.state().children.filter((c) => names.includes(c.slot) && c.phase !== 'stopped')
  const stopped = loop.reached(() => left().length === 0)
  // By its deadline, which is the loop's to put off, each of them has ended or been killed.
  await loop.reached(() => left().every(({ forced }) => forced))
  if (await endsSoon(stopped, host.clock)) return
  const stuck = left().map(({ name }) => name)
  throw new AppError('timeout', `Could not be ended: ${stuck.join(', ')}`)
}

async function endsSoon(stopped: Promise<void>, clock: Clock): Promise<boolean> {
  for (;;) {
    const dueMs = clock.now() + KILL_WAIT_MS
    if ((await within(stopped, KILL_WAIT_MS, 'late')) !== 'late') return true
    if (clock.now() - dueMs < LATE_MS) return false
  }
}

function killInMs(host: Host, name: string): number | null {
  const { children, offsetMs } = host.state()
  const child = children.find((one) => one.name === name)
  if (child?.phase !== 'stopping') return null
  const dueMs = child.forced ? null : child.dueMs
  return dueMs === null ? 0 : Math.max(0, dueMs - offsetMs - host.clock.now())
}

function restart(host: Host, name: string, how: StopOptions): void {
  const record = host.records.get(name)
  if (!record) throw new AppError('not_found', `There is no child ${name}`)
  record.drain = how.drain
  host.dispatch({ type: 'restart', name, budgetMs: how.deadlineMs - host.clock.now() })
}

/** The drain order is the present process's; its successor's comes with its own stop. */
function replace(host: Host, name: string, how: StopOptions & { why: string }): boolean {
  if (!canReplace(host.state(), name)) return false
  host.records.get(name)!.drain = how.drain
  host.dispatch({ type: 'replace', name, why: how.why, budgetMs: how.deadlineMs - host.clock.now() })
  return true
}

function hurry(host: Host, names: readonly string[], deadlineMs: number | undefined): void {
  for (const record of named(host, names)) toChild(record, { type: 'hurry' })
  if (deadlineMs !== undefined) host.dispatch({ type: 'stop', names, budgetMs: deadlineMs - host.clock.now() })
}

async function locate(host: Host, pid: number): Promise<StackTop | null> {
  const stack = recordOf(host, pid)?.stack
  const where = await stack?.read(LOCATE_MS)
  stack?.release()
  return where ?? null
}

/** By pid: names change hands while a process is replaced. */
function recordOf(host: Host, pid: number): ChildRecord | undefined {
  return [...host.records.values()].find((record) => record.handle?.pid === pid)
}

function named(host: Host, names: readonly string[]): ChildRecord[] {
  return host.state().children.flatMap(({ slot, name }) => (names.includes(slot) ? (host.records.get(name) ?? []) : []))
}
