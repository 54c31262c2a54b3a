/** Keeps child processes running: a thin shell of processes, timers and messages around the reducer. */
import { AppError, messageOf } from '../lib/errors.ts'
import { within } from '../lib/until.ts'
import { type ChildRecord, createRecord, statusOf, type ChildStatus } from './child-record.ts'
import { type Exit, spawnChild } from './child-handle.ts'
import type { SupervisorFact } from './facts.ts'
import { createHangWatch } from './hang.ts'
import { parseFromChild, type ToChild } from './messages.ts'
import { DEFAULT_POLICY, type Policy } from './policy.ts'
import { reduce } from './reducer.ts'
import type { ChildSpec } from './spec.ts'
import { type Action, childOf, type Event, initialState, nextDueMs } from './state.ts'
import { createUsageMeter } from './usage.ts'

/** Milliseconds that never run backward. */
export type Clock = { now(): number }

export type SupervisorOptions = {
  specs: readonly ChildSpec[]
  onFact(fact: SupervisorFact): void
  /** Every message of a child that is not the supervisor's own. */
  onMessage?(name: string, message: unknown): void
  policy?: Partial<Policy>
  clock?: Clock
}

/** `deadlineMs` is absolute, on the supervisor's clock (performance.now()). */
export type StopOptions = { drain?: unknown; deadlineMs: number }

export type Supervisor = {
  /** Resolves when all are ready; rejects when one misses its boot deadline or is given up. */
  start(): Promise<void>
  status(): ChildStatus[]
  ready(name: string): boolean
  /** False when the child is away or too busy to take it. */
  send(name: string, message: object): boolean
  /** Drains, then kills at the deadline; resolves when the groups are empty. Nothing is restarted afterwards. */
  stop(names: readonly string[], options: StopOptions): Promise<void>
  /** Stops one child and starts it again, with its crashes forgotten. */
  restart(name: string, options: StopOptions): void
  /** Tells draining children to give up their work; an earlier deadline may come with it. */
  hurry(names: readonly string[], deadlineMs?: number): void
  /** SIGKILL to every group before it returns. */
  kill(): void
}

/** After the deadline a KILL has been sent; only a process stuck in the kernel is still there. */
const KILL_WAIT_MS = 5_000

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const policy = { ...DEFAULT_POLICY, ...options.policy }
  const clock = options.clock ?? performance
  const records = new Map(options.specs.map((spec) => [spec.name, createRecord(spec)]))
  const queue: Event[] = []
  const waiters = new Set<() => void>()
  let state = initialState(options.specs)
  let timer: NodeJS.Timeout | undefined
  let failBoot: ((name: string, reason: string) => void) | undefined
  const usage = createUsageMeter(() => [...records.values()].flatMap((record) => record.handle?.pid ?? []))
  const hangs = createHangWatch({ limitMs: policy.hangKillMs, now: () => clock.now(), watched, onHung })

  /** A callback may cause another event; it is taken up when the present one is done. */
  function dispatch(event: Event): void {
    if (queue.push(event) > 1) return
    for (let next = queue[0]; next; queue.shift(), next = queue[0]) {
      const turn = reduce(state, next, { nowMs: clock.now(), policy })
      state = turn.state
      turn.actions.forEach(act)
    }
    for (const check of waiters) check()
    schedule()
  }

  function act(action: Action): void {
    if (action.do === 'tell') return tell(action.fact)
    const record = records.get(action.name)!
    if (action.do === 'kill') return record.handle?.kill(action.reason)
    if (action.do === 'spawn') return spawn(record)
    if (action.do === 'drain') return drain(record)
    toChild(record, { type: 'go', payload: record.spec.go?.() })
  }

  function tell(fact: SupervisorFact): void {
    outside(() => options.onFact(fact))
    if (fact.type === 'child_boot_missed') failBoot?.(fact.name, `was not ready within ${fact.deadlineMs / 1_000} s`)
    if (fact.type === 'child_parked') failBoot?.(fact.name, fact.reason)
  }

  function spawn(record: ChildRecord): void {
    const { name } = record.spec
    record.begin(clock.now())
    const handle = spawnChild(record.spec, {
      onLine(stream, line) {
        record.lines.add(line)
        tell({ type: 'child_line', name, stream, line })
      },
      onMessage: (message) => receive(record, message),
      onExit: (exit) => void settle(record, exit),
    })
    record.handle = handle
    if (handle.pid !== null) tell({ type: 'child_spawned', name, pid: handle.pid })
    if (record.spec.ready !== 'message') void probe(record, record.spec.ready)
  }

  async function probe(record: ChildRecord, ready: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { name } = record.spec
    const { signal } = record.life
    try {
      await ready(signal)
      if (!signal.aborted) becomeReady(record, null)
    } catch (error) {
      if (signal.aborted) return // its process has ended, which is reported elsewhere
      const reason = `failed its readiness check: ${messageOf(error)}`
      dispatch({ type: 'condemned', name, reason, hung: false })
    }
  }

  function receive(record: ChildRecord, message: unknown): void {
    const own = parseFromChild(message)
    if (!own) return outside(() => options.onMessage?.(record.spec.name, message))
    if (own.type === 'ready') return becomeReady(record, own.facts)
    record.lastSignMs = clock.now()
    if (own.type === 'beat') record.beat = own.beat
  }

  function becomeReady(record: ChildRecord, facts: unknown): void {
    record.lastSignMs = clock.now()
    dispatch({ type: 'ready', name: record.spec.name, facts })
  }

  /** The facts of an end are told before anything new begins, so that others can put its work back. */
  async function settle(record: ChildRecord, exit: Exit): Promise<void> {
    const { name } = record.spec
    const wanted = isWanted(name)
    const pid = record.handle?.pid ?? null
    const facts = { ...exit, lines: record.lines.list() }
    record.end(exit)
    tell({ type: 'child_exited', name, pid, wanted, ...facts })
    if (wanted && record.spec.repair) await repair(record, facts)
    dispatch({ type: 'exited', name, code: exit.code, reason: exit.reason })
  }

  async function repair(record: ChildRecord, exit: Exit & { lines: string[] }): Promise<void> {
    const { name } = record.spec
    const what = await record.spec.repair!(exit).catch((error) => `could not be repaired: ${messageOf(error)}`)
    if (what !== null) tell({ type: 'child_repaired', name, what })
  }

  function drain(record: ChildRecord): void {
    const sent = toChild(record, { type: 'drain', payload: record.drain })
    record.handle?.signal(sent ? 'SIGCONT' : record.spec.stop.signal)
  }

  function toChild(record: ChildRecord, message: ToChild): boolean {
    return record.spec.kind === 'node' && (record.handle?.send(message) ?? false)
  }

  function isWanted(name: string): boolean {
    const child = childOf(state, name)
    return child?.wanted === true && child.phase !== 'stopping'
  }

  function watched(): ChildRecord[] {
    return [...records.values()].filter((record) => ready(record.spec.name))
  }

  function onHung(name: string, reason: string): void {
    dispatch({ type: 'condemned', name, reason, hung: true })
  }

  function ready(name: string): boolean {
    return childOf(state, name)?.phase === 'ready'
  }

  function schedule(): void {
    clearTimeout(timer)
    const dueMs = nextDueMs(state)
    if (dueMs !== null) timer = setTimeout(() => dispatch({ type: 'tick' }), Math.min(Math.ceil(dueMs), 2 ** 31 - 1))
    if (state.children.every((child) => child.phase === 'stopped')) dispose()
  }

  function dispose(): void {
    usage.stop()
    hangs.stop()
  }

  /** Resolves after the event that makes `done` true. */
  function reached(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (done() && waiters.delete(check)) resolve()
      }
      waiters.add(check)
      check()
    })
  }

  function bootError(name: string, reason: string): AppError {
    const lines = records.get(name)!.lines.list()
    const output = lines.length === 0 ? '' : `; its last output:\n${lines.slice(-10).join('\n')}`
    return new AppError('program_failed', `${name} ${reason}${output}`, { details: { name, reason, lines } })
  }

  const areStopped = (names: readonly string[]) => names.every((name) => (childOf(state, name)?.phase ?? 'stopped') === 'stopped')

  return {
    async start() {
      const failed = new Promise<never>((_, reject) => {
        failBoot = (name, reason) => reject(bootError(name, reason))
      })
      const settled = reached(() => state.children.every(({ phase }) => phase === 'ready' || phase === 'stopped'))
      dispatch({ type: 'start' })
      await Promise.race([settled, failed]).finally(() => {
        failBoot = undefined
      })
      if (state.children.some((child) => child.phase === 'stopped'))
        throw new AppError('interrupted', 'Stopped while it was starting')
    },
    status: () => state.children.map((child) => statusOf(records.get(child.name)!, child, { nowMs: clock.now(), usage })),
    ready,
    send: (name, message) => records.get(name)?.handle?.send(message) ?? false,
    async stop(names, { drain, deadlineMs }) {
      for (const name of names) if (records.has(name)) records.get(name)!.drain = drain
      const budgetMs = deadlineMs - clock.now()
      dispatch({ type: 'stop', names, budgetMs })
      const late = await within(reached(() => areStopped(names)), Math.max(0, budgetMs) + KILL_WAIT_MS, 'late' as const)
      if (late) throw new AppError('timeout', `Could not be ended: ${names.filter((name) => !areStopped([name])).join(', ')}`)
    },
    restart(name, { drain, deadlineMs }) {
      const record = records.get(name)
      if (!record) throw new AppError('not_found', `There is no child ${name}`)
      record.drain = drain
      dispatch({ type: 'restart', name, budgetMs: deadlineMs - clock.now() })
    },
    hurry(names, deadlineMs) {
      for (const name of names) if (records.has(name)) toChild(records.get(name)!, { type: 'hurry' })
      if (deadlineMs !== undefined) dispatch({ type: 'stop', names, budgetMs: deadlineMs - clock.now() })
    },
    kill() {
      for (const record of records.values()) record.handle?.kill(null)
      dispatch({ type: 'kill' })
    },
  }
}

/** A fault in a caller's callback surfaces as an uncaught error, and never in the middle of a turn. */
function outside(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
