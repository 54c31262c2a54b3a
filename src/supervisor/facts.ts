/** Everything the supervisor says about its children; somebody else puts it into words. */

export type Stream = 'stdout' | 'stderr'

/** Where a main thread is: its innermost frame of ours, all frames as text, and whose work it is (lib/job-scope.ts). */
export type StackTop = {
  function: string
  file: string
  line: number
  column: number
  frames: string[]
  scope: string | null
}

export type SupervisorFact =
  | { type: 'child_spawned'; name: string; pid: number }
  /** `ms` counts from the spawn. */
  | { type: 'child_ready'; name: string; ms: number; facts: unknown }
  | { type: 'child_boot_missed'; name: string; deadlineMs: number }
  /** No sign of life for a while; ends with `child_recovered` or with its end. */
  | { type: 'child_suspected'; name: string; silentMs: number; reason: string; where: StackTop | null }
  | { type: 'child_recovered'; name: string; silentMs: number; where: StackTop | null }
  | { type: 'child_hung'; name: string; reason: string; where: StackTop | null }
  | ({ type: 'child_exited'; name: string; pid: number | null; wanted: boolean; where: StackTop | null } & ExitWords)
  | { type: 'child_repaired'; name: string; what: string }
  /** `free`: not counted against the child, because it recycled itself or lacked something it needs. */
  | { type: 'child_restart_planned'; name: string; afterMs: number; free: boolean }
  /** `retryMs` is null when only an operator can bring it back. */
  | { type: 'child_parked'; name: string; reason: string; retryMs: number | null }
  | { type: 'child_stopping'; name: string }
  /** A successor starts beside it; `child_replaced` says that the name is the successor's from now on. */
  | { type: 'child_replacing'; name: string; why: string }
  | { type: 'child_replaced'; name: string }
  | { type: 'child_replace_failed'; name: string; reason: string }
  /** `forced`: it had to be killed. */
  | { type: 'child_stopped'; name: string; ms: number; forced: boolean }
  | { type: 'child_line'; name: string; pid: number; stream: Stream; line: string }

/** `killedFor`: why we killed it, if we did for a reason. */
type ExitWords = {
  code: number | null
  signal: string | null
  reason: string
  killedFor: string | null
  lines: string[]
}
