/** Carries the reducer's actions out on real processes, and turns what they do into events. */
import { messageOf } from '../lib/errors.ts'
import { type Exit, spawnChild } from './child-handle.ts'
import { type ChildRecord, createRecord } from './child-record.ts'
import type { Clock } from './decision-loop.ts'
import type { SupervisorFact } from './facts.ts'
import { type ChildMessage, isMessage, parseFromChild, type ToChild } from './messages.ts'
import { type Action, childOf, type Event, type State } from './state.ts'

export type Host = {
  records: Map<string, ChildRecord>
  clock: Clock
  state(): State
  dispatch(event: Event): void
  tell(fact: SupervisorFact): void
  cleanLine(line: string): string
  onMessage(sender: Sender, message: ChildMessage): void
  isOwnFault(exit: Exit): boolean
}

/** Names can change hands while a process is replaced; pids cannot. */
export type Sender = { name: string; pid: number }

export function act(host: Host, action: Action): void {
  if (action.do === 'tell') host.tell(action.fact)
  else if ('from' in action) call(host.records, action)
  else actOn(host, host.records.get(action.name)!, action)
}

/** Who is called how. */
function call(records: Map<string, ChildRecord>, action: Extract<Action, { from: string }>): void {
  const record = records.get(action.from)!
  if (action.do === 'copy') {
    records.set(action.to, createRecord(record.spec, action.to))
    return
  }
  records.delete(action.from)
  records.set(action.to, record)
  record.name = action.to
}

type ToProcess = Exclude<Action, { do: 'tell' } | { from: string }>

function actOn(host: Host, record: ChildRecord, action: ToProcess): void {
  if (action.do === 'kill') record.handle?.kill(action.reason)
  else if (action.do === 'spawn') spawn(host, record)
  else if (action.do === 'drain') drain(record)
  else if (action.do === 'forget') host.records.delete(action.name)
  else toChild(record, { type: 'go', payload: record.spec.go?.() })
}

/** False when the child cannot be reached. */
export function toChild(record: ChildRecord, message: ToChild): boolean {
  return record.spec.kind === 'node' && (record.handle?.send(message) ?? false)
}

function spawn(host: Host, record: ChildRecord): void {
  const { ready } = record.spec
  record.begin(host.clock.now())
  const handle = spawnChild(record.spec, {
    onLine(stream, printed) {
      const line = host.cleanLine(printed)
      record.lines.add(line)
      host.tell({ type: 'child_line', name: record.name, pid: record.pid, stream, line })
    },
    onMessage: (message) => receive(host, record, message),
    onExit: (exit) => void settle(host, record, exit),
  })
  record.handle = handle
  if (handle.pid !== null) host.tell({ type: 'child_spawned', name: record.name, pid: handle.pid })
  if (ready !== 'message') void probe(host, record, ready)
}

async function probe(host: Host, record: ChildRecord, ready: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { signal } = record.life
  try {
    await ready(signal)
    if (!signal.aborted) becomeReady(host, record, null)
  } catch (error) {
    if (signal.aborted) return // its process has ended, which is reported elsewhere
    const reason = `failed its readiness check: ${messageOf(error)}`
    host.dispatch({ type: 'condemned', name: record.name, reason, hung: false })
  }
}

function receive(host: Host, record: ChildRecord, message: unknown): void {
  record.lastSignMs = host.clock.now()
  if (!isMessage(message)) return
  const own = parseFromChild(message)
  if (!own) host.onMessage({ name: record.name, pid: record.pid }, message)
  else if (own.type === 'ready') becomeReady(host, record, own.facts)
  else if (own.type === 'beat') record.beat = own.beat
  else record.hasSaidGoodbye = true
}

function becomeReady(host: Host, record: ChildRecord, facts: unknown): void {
  record.lastSignMs = host.clock.now()
  host.dispatch({ type: 'ready', name: record.name, facts })
}

/** The facts of an end are told before anything new begins, so that others can put its work back. */
async function settle(host: Host, record: ChildRecord, exit: Exit): Promise<void> {
  const wanted = isWanted(host, record.name)
  const outside = isFromOutside(exit) && !host.isOwnFault(exit)
  const facts = { ...exit, lines: record.lines.list() }
  const pid = record.handle?.pid ?? null
  record.end(exit)
  host.tell({ type: 'child_exited', name: record.name, pid, wanted, ...facts, where: record.where })
  if (wanted && record.spec.repair) await repair(host, record, facts)
  const { code, reason } = exit
  host.dispatch({ type: 'exited', name: record.name, code, reason, outside })
}

/** By these a process ends itself: failed assertions, exhausted memory, faults of native code. */
const OWN_SIGNALS: ReadonlySet<string> = new Set([
  'SIGABRT',
  'SIGSEGV',
  'SIGBUS',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP',
  'SIGSYS',
])

/** Somebody else's kill: neither ours nor a fault of the process. */
export function isFromOutside({ signal, killedFor }: Pick<Exit, 'signal' | 'killedFor'>): boolean {
  return signal !== null && killedFor === null && !OWN_SIGNALS.has(signal)
}

async function repair(host: Host, record: ChildRecord, exit: Exit & { lines: string[] }): Promise<void> {
  const what = await record.spec.repair!(exit).catch((error) => `could not be repaired: ${messageOf(error)}`)
  if (what !== null) host.tell({ type: 'child_repaired', name: record.name, what })
}

/** A message where there is a channel, else a signal; a stopped process has to be woken to see either. */
function drain(record: ChildRecord): void {
  const sent = toChild(record, { type: 'drain', payload: record.drain })
  record.handle?.signal(sent ? 'SIGCONT' : record.spec.stop.signal)
}

function isWanted(host: Host, name: string): boolean {
  const child = childOf(host.state(), name)
  return child?.wanted === true && child.phase !== 'stopping'
}
