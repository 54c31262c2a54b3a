/** What the shell remembers of a child beside the reducer's state, and its answer to "how is it?". */
import type { StackReader } from './capture.ts'
import type { ChildHandle, Exit } from './child-handle.ts'
import type { StackTop } from './facts.ts'
import { createLineRing, type LineRing } from './lines.ts'
import type { ChildSpec } from './spec.ts'
import { describeTop } from './stack.ts'
import type { ChildState, Phase, Role } from './state.ts'
import { NO_USAGE, type Usage, type UsageMeter } from './usage.ts'

export type LastExit = Exit & { at: string }

export type ChildStatus = {
  name: string
  /** Its name when it is not being replaced. */
  slot: string
  role: Role
  group: string
  pid: number | null
  phase: Phase
  /** It has a process that is not on its way out for a fault. */
  alive: boolean
  ready: boolean
  restarts: number
  started_at: string | null
  uptime_s: number
  last_exit: LastExit | null
  last_lines: string[]
  beat: unknown
  /** Since the last message of a child that beats (or its spawn); null for others, and while there is no process. */
  beat_age_s: number | null
  /** It should give signs of life and does not: since when, where its main thread is, and for which task. */
  blocked: { since_s: number; where: string | null; task_id: string | null } | null
} & Usage

export type ChildRecord = {
  readonly spec: ChildSpec
  readonly lines: LineRing
  /** Changes when it takes the place of another process. */
  name: string
  readonly beats: boolean
  readonly pid: number
  /** Null while there is no process. */
  handle: ChildHandle | null
  /** Aborts when the present process has ended. */
  readonly life: { signal: AbortSignal }
  lastSignMs: number
  beat: unknown
  /** It has said its last message, and owes no more. */
  hasSaidGoodbye: boolean
  /** Looks inside the present process, where that is possible. */
  readonly stack: StackReader | null
  /** It gives no sign of life. */
  isSuspected: boolean
  /** Where its main thread was when it gave no sign of life. */
  where: StackTop | null
  /** Payload of the next drain message. */
  drain: unknown
  begin(nowMs: number): void
  end(exit: Exit): void
  readonly startedAt: string | null
  readonly startedMs: number
  readonly lastExit: LastExit | null
}

export function createRecord(spec: ChildSpec, name = spec.name): ChildRecord {
  let life = new AbortController()
  let startedAt: string | null = null
  let startedMs = 0
  let lastExit: LastExit | null = null
  const record: ChildRecord = {
    spec,
    name,
    beats: spec.kind === 'node',
    lines: createLineRing(),
    handle: null,
    lastSignMs: 0,
    beat: null,
    hasSaidGoodbye: false,
    isSuspected: false,
    where: null,
    drain: undefined,
    get pid() {
      return record.handle?.pid ?? 0
    },
    get stack() {
      return record.handle?.stack ?? null
    },
    get life() {
      return life
    },
    get startedAt() {
      return startedAt
    },
    get startedMs() {
      return startedMs
    },
    get lastExit() {
      return lastExit
    },
    begin(nowMs) {
      life = new AbortController()
      record.lines.clear()
      record.beat = null
      record.hasSaidGoodbye = false
      record.isSuspected = false
      record.where = null
      record.lastSignMs = nowMs
      startedAt = new Date().toISOString()
      startedMs = nowMs
    },
    end(exit) {
      life.abort()
      record.handle = null
      record.isSuspected = false
      startedAt = null
      lastExit = { ...exit, at: new Date().toISOString() }
    },
  }
  return record
}

export function statusOf(
  record: ChildRecord,
  child: ChildState,
  now: { nowMs: number; usage: UsageMeter },
): ChildStatus {
  const pid = record.handle?.pid ?? null
  const usage = pid === null ? NO_USAGE : now.usage.of(pid)
  return {
    name: child.name,
    slot: child.slot,
    role: child.role,
    group: record.spec.group,
    pid,
    phase: child.phase,
    alive: pid !== null && child.phase !== 'killing',
    ready: child.phase === 'ready',
    restarts: child.restarts,
    started_at: record.startedAt,
    uptime_s: pid === null ? 0 : Math.floor((now.nowMs - record.startedMs) / 1_000),
    last_exit: record.lastExit,
    last_lines: record.lines.list(),
    beat: record.beat,
    beat_age_s: record.beats && pid !== null ? Math.round(now.nowMs - record.lastSignMs) / 1_000 : null,
    blocked: blockedOf(record, now.nowMs),
    ...usage,
  }
}

function blockedOf({ isSuspected, lastSignMs, where }: ChildRecord, nowMs: number): ChildStatus['blocked'] {
  if (!isSuspected) return null
  return {
    since_s: Math.round(nowMs - lastSignMs) / 1_000,
    where: where && describeTop(where),
    task_id: where?.scope ?? null,
  }
}
