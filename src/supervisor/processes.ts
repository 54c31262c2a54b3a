/** Carries the reducer's actions out on real processes, and turns what they do into events. */
import { messageOf } from '../lib/errors.ts'
import { type Exit, spawnChild } from './child-handle.ts'
import type { ChildRecord } from './child-record.ts'
import type { Clock } from './decision-loop.ts'
import type { SupervisorFact } from './facts.ts'
import { parseFromChild, type ToChild } from './messages.ts'
import { type Action, childOf, type Event, type State } from './state.ts'

export type Host = {
  records: ReadonlyMap<string, ChildRecord>
  clock: Clock
  state(): State
  dispatch(event: Event): void
  tell(fact: SupervisorFact): void
  onMessage(name: string, message: unknown): void
}

export function act(host: Host, action: Action): void {
  if (action.do === 'tell') host.tell(action.fact)
  else actOn(host, host.records.get(action.name)!, action)
}

function actOn(host: Host, record: ChildRecord, action: Exclude<Action, { do: 'tell' }>): void {
  if (action.do === 'kill') record.handle?.kill(action.reason)
  else if (action.do === 'spawn') spawn(host, record)
  else if (action.do === 'drain') drain(record)
  else toChild(record, { type: 'go', payload: record.spec.go?.() })
}

/** False when the child cannot be reached. */
export function toChild(record: ChildRecord, message: ToChild): boolean {
  return record.spec.kind === 'node' && (record.handle?.send(message) ?? false)
}

function spawn(host: Host, record: ChildRecord): void {
  const { name, ready } = record.spec
  record.begin(host.clock.now())
  const handle = spawnChild(record.spec, {
    onLine(stream, line) {
      record.lines.add(line)
      host.tell({ type: 'child_line', name, stream, line })
    },
    onMessage: (message) => receive(host, record, message),
    onExit: (exit) => void settle(host, record, exit),
  })
  record.handle = handle
  if (handle.pid !== null) host.tell({ type: 'child_spawned', name, pid: handle.pid })
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
    host.dispatch({ type: 'condemned', name: record.spec.name, reason, hung: false })
  }
}

function receive(host: Host, record: ChildRecord, message: unknown): void {
  const own = parseFromChild(message)
  record.lastSignMs = host.clock.now()
  if (!own) host.onMessage(record.spec.name, message)
  else if (own.type === 'ready') becomeReady(host, record, own.facts)
  else if (own.type === 'beat') record.beat = own.beat
}

function becomeReady(host: Host, record: ChildRecord, facts: unknown): void {
  record.lastSignMs = host.clock.now()
  host.dispatch({ type: 'ready', name: record.spec.name, facts })
}

/** The facts of an end are told before anything new begins, so that others can put its work back. */
async function settle(host: Host, record: ChildRecord, exit: Exit): Promise<void> {
  const { name } = record.spec
  const wanted = isWanted(host, name)
  const facts = { ...exit, lines: record.lines.list() }
  const pid = record.handle?.pid ?? null
  record.end(exit)
  host.tell({ type: 'child_exited', name, pid, wanted, ...facts })
  if (wanted && record.spec.repair) await repair(host, record, facts)
  host.dispatch({ type: 'exited', name, code: exit.code, reason: exit.reason })
}

async function repair(host: Host, record: ChildRecord, exit: Exit & { lines: string[] }): Promise<void> {
  const what = await record.spec.repair!(exit).catch((error) => `could not be repaired: ${messageOf(error)}`)
  if (what !== null) host.tell({ type: 'child_repaired', name: record.spec.name, what })
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
