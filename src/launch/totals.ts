/** Counts that only grow, kept beyond the ends of the processes that counted: what a counter of Prometheus must be. */
import type { QueueTally } from '../queue/tally.ts'
import type { ChildStatus } from '../supervisor/child-record.ts'
import { hearBeat, NO_TALLY } from './beat.ts'

type Counted = Pick<ChildStatus, 'slot' | 'group' | 'role' | 'pid' | 'restarts' | 'cpu_s' | 'beat'>

export type Totals = {
  /** What all processes say at this moment. */
  note(children: readonly Counted[]): void
  /** What a process said last; its status does not know its pid any more. */
  noteEnd(child: Counted, pid: number): void
  /** A stage that failed without its process, which could not say so any more. */
  noteFailure(queue: string): void
  /** By slot. */
  cpuSeconds(): ReadonlyMap<string, number>
  restarts(): ReadonlyMap<string, number>
  groups(): ReadonlyMap<string, string>
  /** By queue. */
  queues(): ReadonlyMap<string, QueueTally>
}

const KEYS = Object.keys(NO_TALLY) as (keyof QueueTally)[]

export function createTotals(): Totals {
  const cpu = createCounter()
  const restarts = createCounter()
  const jobs = createCounter()
  const groups = new Map<string, string>()

  function noteOne({ slot, group, role, restarts: count, cpu_s, beat }: Counted, pid: number | null): void {
    groups.set(slot, group)
    if (role === 'current') noteRestarts(slot, count)
    if (pid === null) return
    cpu.reach(slot, { of: String(pid), value: cpu_s })
    for (const [queue, tally] of Object.entries(hearBeat(beat).queues))
      for (const key of KEYS) jobs.reach(`${queue} ${key}`, { of: String(pid), value: tally[key] })
  }

  /** A slot that was taken out and added again counts from 0 once more. */
  function noteRestarts(slot: string, count: number): void {
    if (count < restarts.last(slot)) restarts.forget(slot)
    restarts.reach(slot, { of: slot, value: count })
  }

  return {
    note(children) {
      for (const child of children) noteOne(child, child.pid)
    },
    noteEnd(child, pid) {
      noteOne(child, pid)
      for (const counter of [cpu, jobs]) counter.forget(String(pid))
    },
    noteFailure: (queue) => jobs.add(`${queue} failed`, 1),
    cpuSeconds: () => cpu.totals(),
    restarts: () => restarts.totals(),
    groups: () => groups,
    queues() {
      const found = new Map<string, QueueTally>()
      for (const [name, value] of jobs.totals()) {
        const [queue = '', key = ''] = name.split(' ')
        found.set(queue, { ...(found.get(queue) ?? NO_TALLY), [key]: value })
      }
      return found
    },
  }
}

/** Adds up how far several counters have come, each of which begins at 0. */
function createCounter() {
  const totals = new Map<string, number>()
  const reached = new Map<string, Map<string, number>>()
  const add = (name: string, gain: number) => void totals.set(name, (totals.get(name) ?? 0) + gain)
  return {
    totals: () => totals,
    add,
    last: (of: string) => Math.max(0, ...(reached.get(of)?.values() ?? [])),
    forget: (of: string) => void reached.delete(of),
    /** `of`: whose counter stands at `value`; one that is behind what it has reached is an old message. */
    reach(name: string, { of, value }: { of: string; value: number }): void {
      const own = reached.get(of) ?? new Map<string, number>()
      reached.set(of, own)
      const gain = Math.max(0, value - (own.get(name) ?? 0))
      own.set(name, (own.get(name) ?? 0) + gain)
      add(name, gain)
    },
  }
}
